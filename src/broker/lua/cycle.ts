import { fragment } from '../script.js'

/**
 * The rest of a cycle: promote, lease, and leave a mark where work is left behind. Returns 'ok',
 * now, fence, next due ms or '', '1' if paused, the number of refused ids, '1' if leased tasks come with
 * their history, the refused ids, then the leased tasks.
 */
export const cycle = fragment(
  'cycle',
  `
-- More would not fit where Lua unpacks them, and what was popped would be lost.
wanted = math.min(tonumber(wanted), 1000)
local promoted = promoting == '1' and promoteDue() or 0
local buriedBefore = buried
local state = call('HMGET', meta, 'paused', 'fence')
local paused = state[1] and true or false
local answer = { 'ok', text(now), '', '', paused and '1' or '', text(#refused), '' }
for i = 1, #refused do answer[7 + i] = refused[i] end
local found, leased = 0, 0
if wanted > 0 and not paused then
  found, leased = lease(wanted, tonumber(state[2] or '0'), answer)
end
count('dead', buried - buriedBefore)
if not paused then
  if found == wanted then
    if call('EXISTS', wake) == 0 and tonumber(call('ZCARD', waiting)) > 0 then
      call('LPUSH', wake, '1')
    end
  else
    local soonest
    for _, set in ipairs({ scheduled, retryable }) do
      local due = call('ZRANGE', set, '0', '0', 'WITHSCORES')[2]
      if due and (not soonest or tonumber(due) < soonest) then soonest = tonumber(due) end
    end
    if soonest then answer[4] = text(math.floor(soonest)) end
  end
end
return answer
`,
)
