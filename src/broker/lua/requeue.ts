import { fragment } from '../script.js'

/**
 * Back in line with all its attempts; what happened before stays in its history. It takes its unique
 * key again; where another task holds that by now it stays where it is.
 */
export const requeue = fragment(
  'requeue',
  `
local requeued = 0
local function requeue(id, state)
  local fields = headerOf(id)
  local holder = holderOf(fields[6])
  if holder and holder ~= id then return 'held ' .. state .. ' ' .. holder end
  call('ZREM', sets[state], id)
  call('HDEL', progress, id)
  undate(id, fields[7])
  if state == 'dead' then call('ZREM', dead .. ':' .. fields[5], id) end
  local value = call('HGET', attempts, id)
  if value then
    local past = parseAttempts(value)
    past.failures, past.losses, past.deaths, past.mismatch = 0, 0, 0, 0
    call('HSET', attempts, id, formatAttempts(past))
  end
  if fields[2] == '1' then
    local print = call('HGET', own, id)
    call('ZREM', ownUntil, id)
    if print then call('HSET', own, id, string.match(print, '^%S+') or '-') end
  end
  if fields[4] == '1' then call('HSET', unique, fields[6], id .. ' 0') end
  call('ZADD', waiting, place(tonumber(fields[1]), sequences(1) + 1), id)
  requeued = requeued + 1
end
`,
)

/** Each id of the call. */
export const requeueEach = fragment(
  'requeueEach',
  `
local answer, ids = eachId({ dead = 1, cancelled = 1 }, function(id, state, value)
  return unlessMeant(state, value) or requeue(id, state)
end)
if requeued > 0 then wakeOne() end
if heard then
  tell('requeue waiting', ids, #ids)
  publish()
end
return answer
`,
)

/** Scheduled or retryable, asked for now. */
export const promoteNow = fragment(
  'promoteNow',
  `
local advanced = 0
local function promoteNow(id, state, value)
  local due = tonumber(value)
  call('ZREM', sets[state], id)
  undate(id, headerOf(id)[7])
  call('ZADD', waiting, place(levelOf(due), sequences(1) + 1), id)
  advanced = advanced + 1
end
`,
)

/** Each id of the call. */
export const promoteEach = fragment(
  'promoteEach',
  `
local answer, ids = eachId({ scheduled = 1, retryable = 1 }, promoteNow)
if advanced > 0 then wakeOne() end
if heard then
  tell('promote waiting', ids, #ids)
  publish()
end
return answer
`,
)
