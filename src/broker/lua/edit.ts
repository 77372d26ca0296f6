import { fragment } from '../script.js'

/**
 * Another payload in place of the record's third line; header, type and the rest stay. `running` is
 * '1' where the task shall run now: moved first, since a move may be refused, and then nothing is
 * written. Of an id of its own the print is replaced, unless it speaks of a whole batch.
 */
export const edit = fragment(
  'edit',
  `
local function rewritten(blob)
  local first = string.find(blob or '', '\\n', 1, true)
  local second = first and string.find(blob, '\\n', first + 1, true)
  if not second or string.match(blob, '^[^ \\n]+', first + 1) ~= type_ then return nil end
  local third = string.find(blob, '\\n', second + 1, true)
  return string.sub(blob, 1, second) .. payload .. (third and string.sub(blob, third) or '')
end
local function edit(id, state, value)
  if not rewritten(call('HGET', tasks, id)) then return 'unknown' end
  if running == '1' then
    local act = (state == 'dead' or state == 'cancelled') and requeue or promoteNow
    local refusal = act(id, state, value)
    if refusal then return refusal end
  end
  call('HSET', tasks, id, rewritten(call('HGET', tasks, id)))
  local print, ending = string.match(call('HGET', own, id) or '', '^(%S+)(.*)$')
  if print == printBefore then call('HSET', own, id, printAfter .. ending) end
end
local answer, ids = eachId({ scheduled = 1, retryable = 1, dead = 1, cancelled = 1 }, edit)
if requeued + advanced > 0 then
  wakeOne()
  if heard then
    tell(requeued > 0 and 'requeue waiting' or 'promote waiting', ids, #ids)
    publish()
  end
end
return answer
`,
)
