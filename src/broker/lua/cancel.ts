import { fragment } from '../script.js'

/** At once, also where it runs: its worker is told by `orders`, and its late word is refused. */
export const cancel = fragment(
  'cancel',
  `
local cancellations, freed = 0, false
local function cancel(id, state, value)
  local fields = headerOf(id)
  if state == 'active' then
    local fence, holder = string.match(value, '^(%d+) %S+ (%S+)$')
    local past = parseAttempts(call('HGET', attempts, id))
    remarkRun(past, fence, 'cancel')
    call('HDEL', active, id)
    freed = true
    call('HSET', attempts, id, formatAttempts(past))
    if holder then
      local told = call('HGET', orders, holder) or ''
      call('HSET', orders, holder, told .. id .. ' ' .. fence .. '\\n')
    end
  else
    call('ZREM', sets[state], id)
  end
  call('ZADD', cancelled, text(now), id)
  leaveBehind(id, 'cancelled', fields[2], fields[3], fields[4], fields[6])
  cancellations = cancellations + 1
end
local answer, ids = eachId({ scheduled = 1, waiting = 1, retryable = 1, active = 1 }, cancel)
count('cancelled', cancellations)
if freed then wakeOne(nil, true) end
if heard then
  tell('cancel cancelled', ids, #ids)
  publish()
end
return answer
`,
)
