import { fragment } from '../script.js'

/** Numbers are turned to text by `text`, since Lua's own way loses digits (and adds `.0` in 5.3). */
export const base = fragment(
  'base',
  `
local call = redis.call
local unpack = unpack or table.unpack
local function text(number) return string.format('%.0f', number) end
`,
)

/** `now` in ms and `micros`, by Redis's own clock unless a test or the in-process store gave it. */
export const time = fragment(
  'time',
  `
local micros
if now == '' then
  local clock = call('TIME')
  micros = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
else
  micros = tonumber(now) * 1000
end
now = math.floor(micros / 1000)
local minute = text(math.floor(now / 60000))
local function count(name, by)
  if by > 0 then call('HINCRBY', stats, minute .. ':' .. name, text(by)) end
end
`,
)

/** One mark wakes one idle worker; a paused queue leaves none. */
export const wakeUp = fragment(
  'wakeUp',
  `
local function wakeOne()
  if call('EXISTS', wake) == 0 and not call('HGET', meta, 'paused') then call('LPUSH', wake, '1') end
end
`,
)

/** The fields of the header line, all text: level, own, expires, unique mode, dead-letter, unique key. */
export const header = fragment(
  'header',
  `
local function header(blob)
  return string.match(blob, '^(%d)(%d)(%d)(%d) (%S+) (%S*)\\n')
end
`,
)

/** A score in waiting: the most urgent level first, then first in first out. */
export const inLine = fragment(
  'inLine',
  `
local function place(level, sequence)
  return text((3 - level) * 2251799813685248 + sequence)
end
local function sequences(wanted)
  return tonumber(call('HINCRBY', meta, 'seq', text(wanted))) - wanted
end
`,
)

/** A task's state is the set that holds it. Second value: holder, or score. */
export const stateOf = fragment(
  'stateOf',
  `
local function stateOf(id)
  local holder = call('HGET', active, id)
  if holder then return 'active', holder end
  local sets = { waiting = waiting, scheduled = scheduled, retryable = retryable,
    completed = completed, dead = dead, cancelled = cancelled }
  for state, key in pairs(sets) do
    local score = call('ZSCORE', key, id)
    if score then return state, score end
  end
end
`,
)

/** Counts and history of a task that failed or was lost once; the oldest lines go past 64 KiB. */
export const attemptsOf = fragment(
  'attemptsOf',
  `
local function parseAttempts(value)
  if not value then return { failures = 0, losses = 0, deaths = 0, mismatch = 0, lines = '' } end
  local failures, losses, deaths, mismatch, lines =
    string.match(value, '^(%d+) (%d+) (%d+) (%d+)\\n(.*)$')
  return { failures = tonumber(failures), losses = tonumber(losses), deaths = tonumber(deaths),
    mismatch = tonumber(mismatch), lines = lines }
end
local function formatAttempts(past)
  local lines = past.lines
  while #lines > 65536 do
    local stop = string.find(lines, '\\n', 1, true)
    lines = string.sub(lines, stop + 1)
  end
  return text(past.failures) .. ' ' .. text(past.losses) .. ' ' .. text(past.deaths) .. ' '
    .. text(past.mismatch) .. '\\n' .. lines
end
local function remark(past, outcome, started, code, message)
  past.lines = past.lines .. '{"n":' .. text(past.failures) .. ',"s":' .. text(started) .. ',"e":'
    .. text(now) .. ',"o":"' .. outcome .. '"' .. (code == '' and '' or
    ',"x":{"name":"RedisDistroError","code":"' .. code .. '","message":"' .. message .. '"}') .. '}\\n'
end
`,
)

/** What a task leaves behind when it ends: unique key, expiry, progress; its own id is remembered. */
export const leaveBehind = fragment(
  'leaveBehind',
  `
local function leaveBehind(id, state, own_, expires, mode, key)
  call('HDEL', progress, id)
  if expires == '1' then call('ZREM', expiring, id) end
  if mode == '1' and call('HGET', unique, key) == id .. ' 0' then call('HDEL', unique, key) end
  if own_ == '1' then
    local print = call('HGET', own, id)
    if print then call('HSET', own, id, string.match(print, '^%S+') .. ' ' .. state) end
    call('ZADD', ownUntil, text(now + 86400000), id)
  end
end
`,
)

/** The lease check that stands before everything a worker says. */
export const leaseHeld = fragment(
  'leaseHeld',
  `
local lease = call('ZSCORE', workers, worker)
if not lease or tonumber(lease) == 0 then return { 'lost' } end
`,
)
