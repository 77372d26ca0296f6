import { fragment } from '../script.js'

/** Bytes of records in one call, but for the last of them: more would hold up Redis, and its reader. */
export const mostBytes = 4 * 1024 * 1024

/** `now` in ms as text, by Redis's own clock unless a test or the in-process store gave it. */
export const instant = fragment(
  'instant',
  `
if now == '' then
  local clock = call('TIME')
  now = text(tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
else
  now = text(tonumber(now))
end
`,
)

/**
 * Of each id: its record, next tick, whether it is paused, runs, last tick, where that went, and whether
 * it is claimed and not known to be enqueued.
 */
export const describeRule = fragment(
  'describeRule',
  `
local out = {}
local function describe(id)
  local n = #out
  local score = call('ZSCORE', due, id)
  out[n + 1] = id
  out[n + 2] = call('HGET', rules, id) or ''
  out[n + 3] = score and text(tonumber(score)) or ''
  local about = call('HMGET', state, id .. ' paused', id .. ' runs', id .. ' last', id .. ' queue')
  for i = 1, 4 do out[n + 3 + i] = about[i] or '' end
  local task = not about[4] and string.match(about[3] or '', '^%S+ (%S+)$')
  out[n + 8] = task and call('ZSCORE', pending, task) and '1' or ''
end
`,
)

export const find = fragment(
  'findSchedule',
  `
describe(id)
return out
`,
)

/** Schedules, and ticks left behind, that one look goes through at most. */
const mostSeen = 200

/**
 * What is due and what is stale, of task types that the caller knows: others are left to those who know
 * them, and counted, so that the next look goes on behind them. What is stale is touched, so that one
 * kernel at a time repeats it. What has no record is nobody's, and taken out.
 */
export const look = fragment(
  'look',
  `
local known = {}
for i = rest + 1, #ARGV do known[ARGV[i]] = true end
local function isKnown(stored) return known[string.match(stored, '^%S+ (%S+) ') or ''] end
local later = call('ZRANGEBYSCORE', due, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', '0', '1')
out[1] = now
out[2] = later[2] and text(tonumber(later[2])) or ''
for i = 3, 6 do out[i] = '' end
local more = false
local function pass(key, untilMs, from, records, give)
  local ids = call('ZRANGEBYSCORE', key, '-inf', untilMs, 'LIMIT', from, '${mostSeen}')
  local found, passed, bytes = 0, 0, 0
  for i = 1, #ids do
    if found == tonumber(most) or bytes > ${mostBytes} then
      more = true
      break
    end
    local stored = call('HGET', records, ids[i])
    bytes = bytes + #(stored or '')
    if not stored then call('ZREM', key, ids[i])
    elseif isKnown(stored) then
      found = found + 1
      give(ids[i], stored)
    else passed = passed + 1 end
  end
  more = more or #ids == ${mostSeen}
  return text(found), text(passed)
end
out[3], out[4] = pass(due, now, fromDue, rules, describe)
local _, passed = pass(pending, text(tonumber(now) - tonumber(stale)), fromStale, snapshots,
  function(id, snapshot)
    call('ZADD', pending, now, id)
    out[#out + 1] = id
    out[#out + 1] = snapshot
  end)
out[5] = passed
out[6] = more and '1' or ''
return out
`,
)

/** A line of the history; it is told the time where \`when\` stands. */
export const noteRun = fragment(
  'noteRun',
  `
local function note(id, line)
  local lines = { now .. ' ' .. line }
  for old in string.gmatch(call('HGET', history, id) or '', '[^\\n]+') do
    if #lines == 50 then break end
    lines[#lines + 1] = old
  end
  call('HSET', history, id, table.concat(lines, '\\n'))
end
`,
)

/** Whether the record is still the one that was seen. */
export const unchanged = fragment(
  'unchanged',
  `
local function revisionOf(id)
  return string.match(call('HGET', rules, id) or '', '^%d+') or '0'
end
if revisionOf(id) ~= revision then return '0' end
`,
)

export const claim = fragment(
  'claim',
  `
local score = call('ZSCORE', due, id)
if not score or text(tonumber(score)) ~= text(tonumber(expected)) then return '0' end
local first = rest + 1 + 2 * tonumber(ticks)
for i = rest + 1, first - 1, 2 do
  call('ZADD', pending, now, ARGV[i])
  call('HSET', snapshots, ARGV[i], ARGV[i + 1])
end
if following == '' then call('ZREM', due, id) else call('ZADD', due, following, id) end
if first > rest + 1 then
  call('HINCRBY', state, id .. ' runs', ticks)
  call('HSET', state, id .. ' last', last)
  call('HDEL', state, id .. ' queue')
end
for i = first, #ARGV do note(id, ARGV[i]) end
return '1'
`,
)

/** A tick that another has settled already is told of once. */
export const settle = fragment(
  'settle',
  `
if call('ZREM', pending, taskId) == 0 then return '0' end
call('HDEL', snapshots, taskId)
if call('HEXISTS', rules, id) == 0 then return '0' end
note(id, line)
local last = call('HGET', state, id .. ' last') or ''
if queue ~= '' and string.match(last, '^%S+ (%S+)$') == taskId then
  call('HSET', state, id .. ' queue', queue)
end
return '1'
`,
)

export const noteOne = fragment(
  'noteOne',
  `
if call('HEXISTS', rules, id) == 1 then note(id, line) end
return '1'
`,
)

export const save = fragment(
  'save',
  `
local score = call('ZSCORE', due, id)
if revision ~= '0' and (score and text(tonumber(score)) or '') ~= seen then return '0' end
call('HSET', rules, id, text(tonumber(revision) + 1) .. ' ' .. record)
call('ZADD', names, '0', id)
if fresh == '1' then
  call('HDEL', state, id .. ' runs', id .. ' last', id .. ' queue')
  call('HDEL', history, id)
end
if paused == '1' then call('HSET', state, id .. ' paused', '1')
else call('HDEL', state, id .. ' paused') end
if following == '' then call('ZREM', due, id)
else call('ZADD', due, following, id) end
return '1'
`,
)

export const remove = fragment(
  'remove',
  `
call('HDEL', rules, id)
call('ZREM', names, id)
call('ZREM', due, id)
call('HDEL', state, id .. ' paused', id .. ' runs', id .. ' last', id .. ' queue')
call('HDEL', history, id)
return '1'
`,
)

export const readHistory = fragment(
  'readHistory',
  `
return call('HGET', history, id) or ''
`,
)
