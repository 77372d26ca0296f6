import { fragment } from '../script.js'

/**
 * Marks workers whose lease is over. When the last look of any rescuer is older than half a lease
 * (Redis was away, or nobody was up) every lease is prolonged once instead. ARGV after the named:
 * lives of processes that are gone; their workers are dead at any time. Returns '1' where it is time, once a minute, to look for tasks of workers that nobody knows, then who is marked dead.
 */
export const markDead = fragment(
  'markDead',
  `
lease = tonumber(lease)
if #ARGV > rest then
  for _, name in ipairs(call('ZRANGE', workers, '0', '-1')) do
    for i = rest + 1, #ARGV do
      if string.find(name, ':' .. ARGV[i], 1, true) then call('ZADD', workers, '0', name) end
    end
  end
end
local last = tonumber(call('HGET', meta, 'rescuedAt') or '') or 0
call('HSET', meta, 'rescuedAt', text(now))
if last < now - lease / 2 then
  local members = call('ZRANGE', workers, '0', '-1', 'WITHSCORES')
  for i = 1, #members, 2 do
    local expiry = tonumber(members[i + 1])
    if expiry > 0 and expiry < now + lease then
      call('ZADD', workers, text(now + lease), members[i])
    end
  end
else
  local late = call('ZRANGEBYSCORE', workers, '1', '(' .. text(now))
  for _, name in ipairs(late) do call('ZADD', workers, '0', name) end
end
local answer = { '' }
if (tonumber(call('HGET', meta, 'auditedAt') or '') or 0) < now - 60000 then
  call('HSET', meta, 'auditedAt', text(now))
  answer[1] = '1'
end
for _, name in ipairs(call('ZRANGEBYSCORE', workers, '0', '0')) do answer[#answer + 1] = name end
return answer
`,
)

/**
 * Moves tasks of workers that are marked dead or that nobody knows. ARGV after the named: ids out of
 * one page of `active`; who holds each is looked at again, byte by byte. Twenty losses bury.
 */
export const rescue = fragment(
  'rescue',
  `
local moved, saved, lost = 0, {}, {}
local function rescue(id, holder)
  local past = parseAttempts(call('HGET', attempts, id))
  past.losses = past.losses + 1
  call('HDEL', active, id)
  if past.losses >= tonumber(maxLosses) then
    local fields = { header(call('HGET', tasks, id)) }
    remarkRun(past, string.sub(holder, 1, 16), 'bury',
      '"code":"lost","message":"its worker was lost ' .. text(past.losses) .. ' times"')
    bury(id, fields[5])
    lost[#lost + 1] = id
    leaveBehind(id, 'dead', fields[2], fields[3], fields[4], fields[6])
  else
    release(id, holder)
    saved[#saved + 1] = id
    call('HDEL', progress, id)
  end
  call('HSET', attempts, id, formatAttempts(past))
  moved = moved + 1
end
for i = rest + 1, #ARGV do
  local id = ARGV[i]
  local holder = call('HGET', active, id)
  if holder then
    local score = call('ZSCORE', workers, string.match(holder, '^%S+ %S+ (%S+)$') or '')
    if not score or tonumber(score) == 0 then rescue(id, holder) end
  end
end
count('lost', moved)
count('dead', buried)
if moved > 0 then wakeOne(nil, true) end
if heard then
  tell('rescue waiting', saved, #saved)
  tell('rescue dead', lost, #lost)
  publish()
end
return { text(moved), text(buried) }
`,
)

/** Takes a worker out once nothing of it is left; its own leave is refused where it is marked dead. */
export const forgetWorker = fragment(
  'forgetWorker',
  `
call('ZREM', workers, worker)
call('HSET', meta, 'workerless', text(now))
call('HDEL', details, worker)
call('HDEL', orders, worker)
return 'ok'
`,
)
