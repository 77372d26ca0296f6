import { fragment } from '../script.js'

/** Not started in time: a dead letter with the code `expired`. It has left its set already. */
export const expire = fragment(
  'expire',
  `
local function expire(id, blob)
  local level, own_, expires, mode, deadLetter, key = header(blob)
  local past = parseAttempts(call('HGET', attempts, id))
  remarkUnbegun(past, '"code":"expired","message":"not started within expiresIn"')
  call('HSET', attempts, id, formatAttempts(past))
  bury(id, deadLetter)
  if heard then tell('expire dead', { id }, 1, nil, { blob }) end
  leaveBehind(id, 'dead', own_, expires, mode, key)
end
`,
)
