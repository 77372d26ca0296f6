import { fragment } from '../script.js'

/**
 * Numbers are turned to text by `text`, since Lua's own way loses digits (and adds `.0` in 5.3). As an
 * argument of a command a number may stand as it is.
 */
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
  -- A counter that cannot be read stops nothing: what it counts has been written by then.
  if by > 0 then pcall(call, 'HINCRBY', stats, minute .. ':' .. name, text(by)) end
end
`,
)

/**
 * One mark wakes one idle worker. A paused queue leaves none, nor does one at its limit, unless a slot
 * may have been `freed`. `marks`: odd where one lies there; looked up where it is left out.
 */
export const wakeUp = fragment(
  'wakeUp',
  `
local function wakeOne(marks, freed)
  if (marks or call('EXISTS', wake)) % 2 == 1 then return end
  local state = call('HMGET', meta, 'paused', 'quiet')
  if state[1] then return end
  local untilMs = not freed and state[2] and string.match(state[2], '^%d+')
  if not untilMs or tonumber(untilMs) <= now then call('LPUSH', wake, '1') end
end
`,
)

/**
 * The fields of the header line, all text: level, own, expires, unique mode, dead-letter, unique
 * key, and when it was first due in ms, or ''. A line that cannot be read gives those of a plain task
 * that may have had an id of its own, and an expiry.
 */
export const header = fragment(
  'header',
  `
local function header(blob)
  local flags, letter, key, due = string.match(blob or '', '^([0-_]) ?([%w._:-]*) ?([!-~]*) ?(%d*)\\n')
  if not flags then return '1', '1', '1', '0', 'dead', '', '' end
  local number = string.byte(flags) - 48
  return text(number % 4), text(math.floor(number / 4) % 2), text(math.floor(number / 8) % 2),
    text(math.floor(number / 16)), letter == '' and 'dead' or letter, key, due
end
`,
)

/** The record with its due time in the header, or, without one, with none. */
export const dated = fragment(
  'dated',
  `
local function dated(blob, due)
  local flags, letter, key = string.match(blob, '^([0-_]) ?([^ \\n]*) ?([^ \\n]*)')
  local stop = string.find(blob, '\\n', 1, true)
  local words = flags
  if due ~= '' then words = flags .. ' ' .. letter .. ' ' .. key .. ' ' .. due
  elseif key ~= '' then words = flags .. ' ' .. letter .. ' ' .. key
  elseif letter ~= '' then words = flags .. ' ' .. letter end
  return words .. string.sub(blob, stop)
end
`,
)

/** A person moved a task that was to come later: a due time still ahead is no longer true. */
export const undate = fragment(
  'undate',
  `
local function undate(id, due)
  if due == '' or tonumber(due) <= now then return end
  call('HSET', tasks, id, dated(call('HGET', tasks, id), ''))
end
`,
)

/**
 * A score in waiting: the most urgent level first, then first in first out. A number, which Redis
 * writes to the last digit.
 */
export const inLine = fragment(
  'inLine',
  `
local function place(level, sequence)
  return (3 - level) * 2251799813685248 + sequence
end
-- Out of a due time; a score that a person wrote may be none.
local function levelOf(due)
  local level = math.floor((due - math.floor(due)) * 4 + 0.5)
  return level >= 0 and level < 4 and level or 1
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

/** Who holds a unique key now, with its state and its score; nothing where the key is free. */
export const holderOf = fragment(
  'holderOf',
  `
local function holderOf(key)
  local held = key ~= '' and call('HGET', unique, key)
  if not held then return nil end
  local id, untilMs = string.match(held, '^(%S+) (%d+)$')
  if not id then return nil end
  local state, value = stateOf(id)
  if untilMs == '0' then
    if not state or state == 'completed' or state == 'dead' or state == 'cancelled' then return nil end
  elseif tonumber(untilMs) <= now then
    return nil
  end
  return id, state or 'completed', value
end
`,
)

/**
 * Counts and history of a task that failed or was lost once; the oldest lines go past 64 KiB. An entry
 * that cannot be read counts as none: it must not stop the rescue of all that lies beside it. A line
 * that a script writes is of the run under way, or, without a start, of one that never began.
 */
export const attemptsOf = fragment(
  'attemptsOf',
  `
local function parseAttempts(value)
  local failures, losses, deaths, mismatch, lines =
    string.match(value or '', '^(%d+) (%d+) (%d+) (%d+)\\n(.*)$')
  return { failures = tonumber(failures or '0'), losses = tonumber(losses or '0'),
    deaths = tonumber(deaths or '0'), mismatch = tonumber(mismatch or '0'), lines = lines or '' }
end
local function formatAttempts(past)
  local lines = past.lines
  while #lines > 65536 do
    local stop = string.find(lines, '\\n', 1, true)
    lines = stop and string.sub(lines, stop + 1) or ''
  end
  return text(past.failures) .. ' ' .. text(past.losses) .. ' ' .. text(past.deaths) .. ' '
    .. text(past.mismatch) .. '\\n' .. lines
end
local function remark(past, attempt, outcome, error)
  past.lines = past.lines .. '{"n":' .. text(attempt) .. ',' .. outcome .. ',"e":' .. text(now)
    .. (error and ',"x":{"name":"RedisDistroError",' .. error .. '}' or '') .. '}\\n'
end
local function remarkRun(past, fence, outcome, error)
  past.failures = past.failures + 1
  remark(past, past.failures, '"o":"' .. outcome .. '","s":'
    .. text(math.floor((tonumber(fence) or now * 1000) / 1000)), error)
end
local function remarkUnbegun(past, error)
  remark(past, past.failures + 1, '"o":"bury"', error)
end
`,
)

/** What a task leaves behind when it ends: unique key, expiry; its own id is remembered. */
export const leaveBehind = fragment(
  'leaveBehind',
  `
local function leaveBehind(id, state, own_, expires, mode, key)
  if expires == '1' then call('ZREM', expiring, id) end
  if mode == '1' and call('HGET', unique, key) == id .. ' 0' then call('HDEL', unique, key) end
  if own_ == '1' then
    local print = call('HGET', own, id)
    if print then
      call('HSET', own, id, (string.match(print, '^%S+') or '-') .. ' ' .. state)
      call('ZADD', ownUntil, text(now + 86400000), id)
    end
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
