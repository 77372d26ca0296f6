import { fragment } from '../script.js'

/** For each id in ARGV: `act(id, state, value)`, or a refusal. Answers one word or two an id. */
export const eachId = fragment(
  'eachId',
  `
local function eachId(allowed, act)
  local answer = {}
  for i = rest + 1, #ARGV do
    local id = ARGV[i]
    local state, value = stateOf(id)
    if not state then
      answer[#answer + 1] = 'unknown'
    elseif not allowed[state] then
      answer[#answer + 1] = 'refused ' .. state
    else
      act(id, state, value)
      answer[#answer + 1] = 'moved ' .. state
    end
  end
  return answer
end
local sets = { waiting = waiting, scheduled = scheduled, retryable = retryable,
  completed = completed, dead = dead, cancelled = cancelled }
local function headerOf(id)
  return { header(call('HGET', tasks, id) or '1000 dead \\n') }
end
`,
)
