import { counterNames } from '../../core/counts.js'
import { fragment } from '../script.js'

/** Bytes of records that one round reads, but for the last ones: more would hold up everyone. */
const mostBytes = 4 * 1024 * 1024
/** Records that are read by one command. */
const atOnce = 10

/**
 * Takes ended tasks out of the store for good: all of these, or the first of them where their records
 * must be read and are large. Returns how many.
 */
export const prune = fragment(
  'prune',
  `
local function recordsOf(ids)
  local some, blobs, bytes = {}, {}, 0
  for first = 1, #ids, ${atOnce} do
    local last = math.min(first + ${atOnce - 1}, #ids)
    local read = call('HMGET', tasks, unpack(ids, first, last))
    for i = first, last do
      some[i], blobs[i] = ids[i], read[i - first + 1] or ''
      bytes = bytes + #blobs[i]
    end
    if bytes > ${mostBytes} then break end
  end
  return some, blobs
end
local function prune(state, ids)
  if #ids == 0 then return 0 end
  local blobs
  if heard or state == 'dead' then ids, blobs = recordsOf(ids) end
  if heard then tell('prune gone', ids, #ids, nil, blobs) end
  if state == 'dead' then
    for i = 1, #ids do
      local fields = { header(blobs[i]) }
      call('ZREM', dead .. ':' .. fields[5], ids[i])
    end
  end
  call('ZREM', sets[state], unpack(ids))
  call('HDEL', tasks, unpack(ids))
  call('HDEL', results, unpack(ids))
  call('HDEL', attempts, unpack(ids))
  call('HDEL', progress, unpack(ids))
  return #ids
end
`,
)

/** An ended task, erased by a person; its own id is forgotten with it. */
export const erase = fragment(
  'erase',
  `
local answer = eachId({ completed = 1, dead = 1, cancelled = 1 }, function(id, state, value)
  local refusal = unlessMeant(state, value)
  if refusal then return refusal end
  prune(state, { id })
  call('HDEL', own, id)
  call('ZREM', ownUntil, id)
end)
if heard then publish() end
return answer
`,
)

/**
 * One round of retention, by age and by count, and of everything else that ends by time, 250 of each:
 * a script that takes long holds up everyone. ARGV after
 * the named: age and count for completed, dead, cancelled. Returns how many of each went, how many
 * expired, and '1' where there is more to do.
 */
export const retain = fragment(
  'retain',
  `
local more, gone = false, {}
for i, state in ipairs({ 'completed', 'dead', 'cancelled' }) do
  local age, limit = tonumber(ARGV[rest + i * 2 - 1]), tonumber(ARGV[rest + i * 2])
  local over = tonumber(call('ZCARD', sets[state])) - limit
  local old = call('ZRANGEBYSCORE', sets[state], '-inf', text(now - age), 'LIMIT', '0', '250')
  -- Both are the first of the set, so that the longer list holds the shorter one.
  local ids = over > #old and call('ZRANGE', sets[state], '0', text(math.min(over, 250) - 1)) or old
  local pruned = prune(state, ids)
  gone[i] = text(pruned)
  more = more or #ids == 250 or pruned < #ids
end

local lateStarts = call('ZRANGEBYSCORE', expiring, '-inf', text(now), 'LIMIT', skip, '250')
local skipped, bytes = 0, 0
for _, id in ipairs(lateStarts) do
  if bytes > ${mostBytes} then
    more = true
    break
  end
  local state = stateOf(id)
  if state == 'waiting' or state == 'scheduled' or state == 'retryable' then
    call('ZREM', sets[state], id)
    local blob = call('HGET', tasks, id) or '9\\n'
    bytes = bytes + #blob
    expire(id, blob)
  elseif state == 'active' then
    skipped = skipped + 1
  else
    call('ZREM', expiring, id)
  end
end
more = more or #lateStarts == 250
count('dead', buried)

local forgotten = call('ZRANGEBYSCORE', ownUntil, '-inf', text(now), 'LIMIT', '0', '250')
more = more or #forgotten == 250
for _, id in ipairs(forgotten) do
  if call('HEXISTS', tasks, id) == 1 then
    call('ZADD', ownUntil, text(now + 86400000), id)
  else
    call('ZREM', ownUntil, id)
    call('HDEL', own, id)
  end
end
local freed = call('ZRANGEBYSCORE', uniqueUntil, '-inf', text(now), 'LIMIT', '0', '250')
more = more or #freed == 250
for _, key in ipairs(freed) do
  local untilMs = string.match(call('HGET', unique, key) or '', ' (%d+)$')
  if untilMs and untilMs ~= '0' and tonumber(untilMs) <= now then call('HDEL', unique, key) end
  call('ZREM', uniqueUntil, key)
end
for _, name in ipairs(call('SMEMBERS', deadLetters)) do
  if call('EXISTS', dead .. ':' .. name) == 0 then call('SREM', deadLetters, name) end
end

local oldest = math.floor(now / 60000) - 180
local from = tonumber(call('HGET', meta, 'statsFrom') or '') or oldest
for past = from, math.min(oldest, from + 60) do
  for _, name in ipairs({ ${counterNames.map((name) => `'${name}'`).join(', ')} }) do
    local field = text(past) .. ':' .. name
    local value = call('HGET', stats, field)
    if value and not string.find(value, '^%d+$') then
      call('HDEL', stats, field)
    elseif value then
      call('HINCRBY', stats, 'total:' .. name, value)
      call('HDEL', stats, field)
    end
  end
end
call('HSET', meta, 'statsFrom', text(math.max(from, math.min(oldest, from + 60))))
if heard then publish() end
return { gone[1], gone[2], gone[3], text(buried), more and '1' or '', text(skipped) }
`,
)
