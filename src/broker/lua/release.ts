import { fragment } from '../script.js'

/**
 * A holder that cannot be read has no place: its task is the first of the normal ones. Given back unspent, to the place it had. With a delay it is set aside until then, since nobody
 * here knows its type or payload; `mismatch` keeps since when.
 */
export const release = fragment(
  'release',
  `
local released = 0
local function release(id, holder)
  local score = string.match(holder, '^%d+ ([%d.e+-]+) ')
  call('ZADD', waiting, tonumber(score) and score or '4503599627370496', id)
  released = released + 1
end
local function setAside(id, delay, past)
  if past.mismatch == 0 then past.mismatch = now end
  call('ZADD', scheduled, string.format('%.2f', now + tonumber(delay)), id)
end
`,
)
