import { fragment } from '../script.js'

/**
 * What limits let be leased now. In `meta`: `limit` is 'amount ms burst most', each '-' where there is
 * none of it; `bucket` the microsecond at which the token bucket is full again; `quiet` 'ms worker': until
 * then that worker looks after the line, or, with '-' for it, a slot must be freed first, so that what
 * comes into line wakes nobody. Tokens of tasks that were given back unspent come back.
 */
export const cutWanted = fragment(
  'cutWanted',
  `
local room, slots, step, burst, bucket
if state[3] and not paused then
  local amount, per, size = string.match(state[3], '^([1-9]%d*) ([1-9]%d*) ([1-9]%d*) ')
  local most = string.match(state[3], ' (%d+)$')
  room = math.huge
  if most then
    slots = math.max(0, tonumber(most) - call('HLEN', active))
    room = slots
  end
  if amount then
    step, burst = tonumber(per) * 1000 / tonumber(amount), tonumber(size)
    bucket = (tonumber(state[4] or '') or 0) - unspent * step
    bucket = math.min(math.max(bucket, micros), micros + burst * step)
    room = math.min(room, math.floor((micros - bucket + 1) / step + burst))
  end
  wanted = math.min(wanted, room)
end
`,
)

/**
 * After the lease: tokens are spent, and where tasks wait for the limit one worker is to look again,
 * when the next token is there. Sets `held` where nothing can be leased now.
 */
export const spendTokens = fragment(
  'spendTokens',
  `
local held = false
if room then
  if step and (leased > 0 or unspent > 0) then
    bucket = bucket + leased * step
    call('HSET', meta, 'bucket', text(bucket))
  end
  local line = tonumber(call('ZCARD', waiting)) > 0
  held = line and room - leased < 1
  local untilMs, looker = string.match(state[5] or '', '^(%d+) (%S+)$')
  local quiet
  if held and slots and slots - leased < 1 then
    quiet = text(now + 1000) .. ' -'
  elseif held and looker and looker ~= '-' and looker ~= worker and tonumber(untilMs) > now then
    quiet = state[5]
  elseif held and found < asked then
    answer[4] = text(math.ceil((bucket - (burst - 1) * step) / 1000))
    quiet = answer[4] .. ' ' .. worker
  end
  if quiet then
    call('DEL', wake)
    if quiet ~= state[5] then call('HSET', meta, 'quiet', quiet) end
  else
    if state[5] then call('HDEL', meta, 'quiet') end
    if line and found == wanted and call('EXISTS', wake) == 0 then call('LPUSH', wake, '1') end
  end
end
`,
)

/** Tokens of so many tasks that never started come back. */
export const refund = fragment(
  'refund',
  `
local function refund(amount)
  local state = call('HMGET', meta, 'limit', 'bucket')
  local tokens, per = string.match(state[1] or '', '^([1-9]%d*) ([1-9]%d*) ')
  if not tokens or not state[2] then return end
  local step = tonumber(per) * 1000 / tonumber(tokens)
  call('HSET', meta, 'bucket', text(math.max(0, (tonumber(state[2]) or 0) - amount * step)))
end
`,
)

/**
 * Changes what holds. `said` is what a config says now, or '' where a person asks; then `rate`
 * ('amount ms burst') and `most` are '=' where they stay and '-' where there is none. A config that
 * says what it last said changes nothing. The bucket keeps its missing tokens, as far as they fit.
 * Returns 'set' or 'kept', the limit before and what a config said before, '' for none.
 */
export const setLimits = fragment(
  'setLimits',
  `
local none = '- - - -'
local state = call('HMGET', meta, 'limit', 'limitSaid', 'bucket')
local before, said_ = state[1] or none, state[2] or none
local answer = { 'set', before, said_ }
local amount, per, burst = string.match(before, '^([1-9]%d*) ([1-9]%d*) ([1-9]%d*) ')
local limit = said
if said == '' then
  local rateNow = amount and amount .. ' ' .. per .. ' ' .. burst or '- - -'
  local mostNow = string.match(before, ' (%d+)$') or '-'
  limit = (rate == '=' and rateNow or rate == '-' and '- - -' or rate) .. ' '
    .. (most == '=' and mostNow or most)
elseif said == said_ then
  answer[1] = 'kept'
  return answer
else
  call('HSET', meta, 'limitSaid', said)
end
local missing = 0
if amount then
  missing = math.max(0, (tonumber(state[3] or '') or 0) - micros) * tonumber(amount) / (tonumber(per) * 1000)
end
local newAmount, newPer, newBurst = string.match(limit, '^([1-9]%d*) ([1-9]%d*) ([1-9]%d*) ')
if newAmount then
  local step = tonumber(newPer) * 1000 / tonumber(newAmount)
  call('HSET', meta, 'bucket', text(micros + math.min(missing, tonumber(newBurst)) * step))
else
  call('HDEL', meta, 'bucket')
end
if limit == none then call('HDEL', meta, 'limit') else call('HSET', meta, 'limit', limit) end
call('HDEL', meta, 'quiet')
wakeOne(nil, true)
return answer
`,
)
