import { fragment } from '../script.js'

/**
 * Completions that leave nothing behind. ARGV after the named: `plain` groups, each fence, amount, so
 * many ids and, where they are kept, so many records. A task that is no longer held under its fence
 * is refused, and nothing of it changes. They are written whole before anything else is settled: a
 * script that fails stops where it is.
 */
export const settlePlain = fragment(
  'settlePlain',
  `
keepCount = tonumber(keepCount)
local refused, unspent = {}, 0
local at, kept, sub = rest, keepCount > 0, string.sub
for _ = 1, tonumber(plain) do
  local fence, amount = ARGV[at + 1], tonumber(ARGV[at + 2])
  local ids = { unpack(ARGV, at + 3, at + 2 + amount) }
  at = at + 2 + amount
  local holders = call('HMGET', active, unpack(ids))
  local held = 0
  for i = 1, amount do
    local id, holder = ids[i], holders[i]
    if holder and sub(holder, 1, 16) == fence then
      held = held + 1
      ids[held] = id
      if kept then complete(id, ARGV[at + i]) end
    else
      refused[#refused + 1] = id
    end
  end
  if kept then at = at + amount end
  if held > 0 then
    if heard then tell('complete completed', ids, held, {}) end
    if kept then writeCompleted() else forget(ids, held) end
    call('HDEL', active, unpack(ids, 1, held))
  end
end
`,
)

/**
 * What else a worker says of the tasks it holds. ARGV from `at` on: eight a task: op, id, fence,
 * delay, record, flags (level, own, expires, unique mode), unique key, dead-letter.
 * op: c complete, r retry, b bury, l release (with a record where its handler had begun), x its process died (delay: deaths that bury it), o none
 * could be started (delay: losses that bury it).
 * What a run told of its progress goes with a completed task's record, and is dropped when it will
 * run again.
 */
export const settle = fragment(
  'settle',
  `
special = tonumber(special)
local settledIds, remembered, silenced = {}, {}, {}
local function settleOne(op, id, holder, delay, record, flags, key, deadLetter)
  local own_, expires, mode = string.match(flags, '^%d(%d)(%d)(%d)')
  local past = parseAttempts(call('HGET', attempts, id))
  local run = past.failures + 1
  if op == 'c' then
    if heard then tell('complete completed', { id }, 1, { run }) end
    local told = call('HGET', progress, id)
    if told then silenced[#silenced + 1] = id end
    complete(id, told and #told <= 65536 and record .. '\\n' .. told or record)
    leaveBehind(id, 'completed', own_, expires, mode, key)
    return
  elseif op == 'r' then
    silenced[#silenced + 1] = id
    retry(id, delay, record, past)
    if heard then tell('retry retryable', { id }, 1, { run }) end
  elseif op == 'l' and delay == '' then
    if record == '' then unspent = unspent + 1 end
    silenced[#silenced + 1] = id
    release(id, holder)
    if heard then tell('release waiting', { id }, 1) end
    return
  elseif op == 'l' then
    unspent = unspent + 1
    silenced[#silenced + 1] = id
    setAside(id, delay, past)
    if heard then tell('release scheduled', { id }, 1) end
  else
    local counted = ({ x = 'deaths', o = 'losses' })[op]
    if counted then past[counted] = past[counted] + 1 end
    if counted and past[counted] < tonumber(delay) then
      silenced[#silenced + 1] = id
      release(id, holder)
      call('HSET', attempts, id, formatAttempts(past))
      if heard then tell('release waiting', { id }, 1) end
      return
    end
    past.failures = past.failures + 1
    past.lines = past.lines .. record .. '\\n'
    bury(id, deadLetter)
    if heard then tell('bury dead', { id }, 1, { run }) end
    leaveBehind(id, 'dead', own_, expires, mode, key)
  end
  local n = #remembered
  remembered[n + 1], remembered[n + 2] = id, formatAttempts(past)
end

local asked = {}
for i = 1, special do asked[i] = ARGV[at + i * 8 - 6] end
local holders = special > 0 and call('HMGET', active, unpack(asked)) or {}
for i = 1, special do
  local op, id, fence, delay, record, flags, key, deadLetter = unpack(ARGV, at + 1, at + 8)
  at = at + 8
  local holder = holders[i]
  if holder and string.sub(holder, 1, 16) == fence then
    settledIds[#settledIds + 1] = id
    settleOne(op, id, holder, delay, record, flags, key, deadLetter)
  else
    refused[#refused + 1] = id
  end
end

if #settledIds > 0 then call('HDEL', active, unpack(settledIds)) end
if #silenced > 0 then call('HDEL', progress, unpack(silenced)) end
if #remembered > 0 then call('HSET', attempts, unpack(remembered)) end
writeCompleted()
writeRetries()
`,
)
