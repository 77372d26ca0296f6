import { fragment } from '../script.js'

/** A dead letter lies in `dead` and under its own key beside it. */
export const bury = fragment(
  'bury',
  `
local buried = 0
local function bury(id, deadLetter)
  call('ZADD', dead, text(now), id)
  call('ZADD', dead .. ':' .. deadLetter, text(now), id)
  call('SADD', deadLetters, deadLetter)
  buried = buried + 1
end
`,
)

export const countBuried = fragment('countBuried', "count('dead', buried)")
