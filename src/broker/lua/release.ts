import { fragment } from '../script.js'

/**
 * Given back unspent, to the place it had. With a delay it is set aside until then, since nobody
 * here knows its type or payload; `mismatch` keeps since when.
 */
export const release = fragment(
  'release',
  `
local released = 0
local function release(id, holder)
  call('ZADD', waiting, string.match(holder, '^%d+ (%S+)'), id)
  released = released + 1
end
local function setAside(id, delay, past)
  if past.mismatch == 0 then past.mismatch = now end
  call('ZADD', scheduled, string.format('%.2f', now + tonumber(delay)), id)
end
`,
)
