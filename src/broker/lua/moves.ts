import { fragment } from '../script.js'

/**
 * For each id in ARGV: `act(id, state, value)`, which may refuse with words of its own, or a refusal.
 * Answers one to three words an id, and the ids that moved.
 */
export const eachId = fragment(
  'eachId',
  `
local function eachId(allowed, act)
  local answer, ids = {}, {}
  for i = rest + 1, #ARGV do
    local id = ARGV[i]
    local state, value = stateOf(id)
    if not state then
      answer[#answer + 1] = 'unknown'
    elseif not allowed[state] then
      answer[#answer + 1] = 'refused ' .. state
    else
      local refusal = act(id, state, value)
      answer[#answer + 1] = refusal or 'moved ' .. state
      if not refusal then ids[#ids + 1] = id end
    end
  end
  return answer, ids
end
local sets = { waiting = waiting, scheduled = scheduled, retryable = retryable,
  completed = completed, dead = dead, cancelled = cancelled }
local function headerOf(id)
  return { header(call('HGET', tasks, id)) }
end
`,
)

/**
 * What is meant may have moved since it was read: with `diedBy`, only a letter that died by then, and
 * not one that was sent again and died anew, or ended otherwise.
 */
export const stillMeant = fragment(
  'stillMeant',
  `
local function unlessMeant(state, value)
  if diedBy == '' then return nil end
  if state == 'dead' and (tonumber(value) or math.huge) <= tonumber(diedBy) then return nil end
  return 'refused ' .. state
end
`,
)
