import { fragment } from '../script.js'

/** What the partition's `meta` says, at the beginning: also whether somebody listens to the moves. */
export const glance = fragment(
  'glance',
  `
local state = call('HMGET', meta, 'paused', 'fence', 'limit', 'bucket', 'quiet', 'listen')
local paused = state[1] and true or false
local heard = (tonumber(state[6] or '') or 0) > now
`,
)

/**
 * The rest of a cycle: lease, and leave a mark where work is left behind. Returns 'ok', now, fence,
 * next due ms or '', '1' if paused, the number of refused ids, '1' if leased tasks come with their
 * history, '1' if a task was left in line that only the long script can deal with, '1' if the queue has
 * limits, the refused ids, then the leased tasks.
 */
export const openCycle = fragment(
  'openCycle',
  `
-- More would not fit where Lua unpacks them, and what was popped would be lost.
wanted = math.min(tonumber(wanted), 1000)
local asked = wanted
local answer = { 'ok', text(now), '', '', paused and '1' or '', text(#refused), '', '',
  state[3] and '1' or '' }
for i = 1, #refused do answer[9 + i] = refused[i] end
local found, leased = 0, 0
`,
)

export const leaseWanted = fragment(
  'leaseWanted',
  `
if wanted > 0 and not paused then
  found, leased = lease(wanted, tonumber(state[2] or '') or 0, answer)
  if odds > 0 then answer[8] = '1' end
end
`,
)

export const leaveMark = fragment(
  'leaveMark',
  `
if not paused and not held then
  if found == asked then
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
`,
)

export const answerCycle = fragment('answerCycle', 'return answer')
