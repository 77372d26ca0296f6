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
  leaveBehind(id, 'dead', own_, expires, mode, key)
end
`,
)
