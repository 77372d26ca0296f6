import { fragment } from '../script.js'

/**
 * All ready now, all ids never used before. `records` holds `amount` tasks in one text, since an
 * argument costs more than its bytes: id, a line break, the blob and a record separator each.
 */
export const enqueue = fragment(
  'enqueue',
  `
amount = tonumber(amount)
local find, sub, byte = string.find, string.sub, string.byte
local sequence = sequences(amount)
local written, places, at = {}, {}, 1
for i = 2, amount * 2, 2 do
  local gap = find(records, '\\n', at, true)
  local stop = find(records, '\\30', gap, true)
  local id = sub(records, at, gap - 1)
  written[i - 1], written[i] = id, sub(records, gap + 1, stop - 1)
  places[i - 1], places[i] = place((byte(records, gap + 1) - 48) % 4, sequence + i / 2), id
  at = stop + 1
end
call('HSET', tasks, unpack(written))
call('ZADD', waiting, unpack(places))
count('enqueued', amount)
-- Both keys in one command: what is named twice counts twice.
local marks = call('EXISTS', wake, listen, listen)
wakeOne(marks)
local heard = marks > 1
`,
)

/** Tells of them, and answers. */
export const tellEnqueued = fragment(
  'tellEnqueued',
  `
if heard then
  local ids, blobs = {}, {}
  for i = 1, amount do ids[i], blobs[i] = written[i * 2 - 1], written[i * 2] end
  tell('enqueue waiting', ids, amount, nil, blobs)
  publish()
end
return text(now)
`,
)

/**
 * ARGV after the named, seven a task: id, blob, due ('' now, '+ms' from now, 'ms' an instant; with
 * the level in quarters of a ms), fingerprint, expiresIn, unique key, uniqueFor.
 * Returns four a task: 'new' | 'duplicate' | 'differs', id, state, due ms or ''.
 */
export const enqueueChecked = fragment(
  'enqueueChecked',
  `
local function first(id, fingerprint)
  local state, known, score = recall(id, fingerprint == '')
  if not state then return nil end
  local differs = fingerprint ~= '' and known ~= '' and known ~= fingerprint
  return differs and 'differs' or 'duplicate', id, state,
    (state == 'scheduled' or state == 'retryable') and text(math.floor(tonumber(score))) or ''
end

local function firstOfKey(key)
  local id, state, score = holderOf(key)
  if not id then return nil end
  return 'duplicate', id, state,
    (state == 'scheduled' or state == 'retryable') and text(math.floor(tonumber(score))) or ''
end

local function store(id, blob, due, fingerprint, expiresIn, key, uniqueFor)
  local level = (string.byte(blob, 1) - 48) % 4
  local at = due ~= '' and tonumber(due) or 0
  if string.sub(due, 1, 1) == '+' then at = at + now end
  local state, dueAt = 'waiting', ''
  if at >= now + 1 then
    state, dueAt = 'scheduled', text(math.floor(at))
    call('ZADD', scheduled, string.format('%.2f', at), id)
    blob = dated(blob, dueAt)
  else
    call('ZADD', waiting, place(level, sequences(1) + 1), id)
  end
  call('HSET', tasks, id, blob)
  if fingerprint ~= '' then call('HSET', own, id, fingerprint) end
  if expiresIn ~= '' then call('ZADD', expiring, text(now + tonumber(expiresIn)), id) end
  if key ~= '' then
    local untilMs = uniqueFor == '' and '0' or text(now + tonumber(uniqueFor))
    call('HSET', unique, key, id .. ' ' .. untilMs)
    if untilMs ~= '0' then call('ZADD', uniqueUntil, untilMs, key) end
  end
  return 'new', id, state, dueAt, state == 'waiting' or at < now + 1000
end

local answer, fresh, soon = { text(now) }, 0, false
for i = rest + 1, #ARGV, 7 do
  local id, blob, due, fingerprint, expiresIn, key, uniqueFor = unpack(ARGV, i, i + 6)
  local found, firstId, state, dueAt, near = first(id, fingerprint)
  if not found then found, firstId, state, dueAt = firstOfKey(key) end
  if not found then
    found, firstId, state, dueAt, near = store(id, blob, due, fingerprint, expiresIn, key, uniqueFor)
    fresh = fresh + 1
    soon = soon or near
  end
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] = found, firstId, state, dueAt
end
count('enqueued', fresh)
local marks = fresh == 0 and 0 or soon and call('EXISTS', wake, listen, listen)
  or call('EXISTS', listen, listen)
if soon then wakeOne(marks) end
local heard = marks > 1
`,
)

/** Tells of the new ones, and answers. */
export const tellChecked = fragment(
  'tellChecked',
  `
if heard then
  local ids = { waiting = {}, scheduled = {} }
  for i = 2, #answer, 4 do
    local list = answer[i] == 'new' and ids[answer[i + 2]]
    if list then list[#list + 1] = answer[i + 1] end
  end
  tell('enqueue waiting', ids.waiting, #ids.waiting)
  tell('enqueue scheduled', ids.scheduled, #ids.scheduled)
  publish()
end
return answer
`,
)
