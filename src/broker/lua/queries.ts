import { fragment } from '../script.js'

/** Seven fields of a task, read at one moment: a plain pipeline can see a moving task nowhere. */
export const describe = fragment(
  'describe',
  `
local function describe(id, answer)
  local blob = call('HGET', tasks, id)
  local state, value = stateOf(id)
  if not state then blob = nil end
  local n = #answer
  answer[n + 1] = blob or (state and '1\\n' or '')
  answer[n + 2] = state or ''
  answer[n + 3] = value or ''
  answer[n + 4] = blob and call('HGET', attempts, id) or ''
  answer[n + 5] = blob and call('HGET', results, id) or ''
  answer[n + 6] = blob and call('HGET', progress, id) or ''
  answer[n + 7] = state == 'waiting' and text(call('ZRANK', waiting, id)) or ''
end
`,
)

/** Bytes of records in hexadecimal, since what cannot be read may be no text; `most` of each. */
export const raw = fragment(
  'raw',
  `
local hex = {}
for byte = 0, 255 do hex[string.char(byte)] = string.format('%02x', byte) end
local answer = {}
for i = rest + 1, #ARGV do
  local blob = string.sub(call('HGET', tasks, ARGV[i]) or '', 1, tonumber(most))
  answer[#answer + 1] = string.gsub(blob, '.', hex)
end
return answer
`,
)

export const types = fragment(
  'types',
  `
local answer = {}
for i = 1, #KEYS do answer[i] = call('TYPE', KEYS[i]).ok end
return answer
`,
)

/** Bytes of records in one page, but for the last of it: more would hold up Redis, and its reader. */
const mostBytes = 4 * 1024 * 1024
/** Records that are read by one command. */
const atOnce = 10

/** The first of the ids that it is given: all, or fewer where their records are large. */
export const find = fragment(
  'find',
  `
local answer, bytes = {}, 0
for i = rest + 1, #ARGV do
  local size = #answer
  describe(ARGV[i], answer)
  for field = size + 1, #answer do bytes = bytes + #answer[field] end
  if bytes > ${mostBytes} then break end
end
return answer
`,
)

/**
 * A page of one set from behind the last member of the page before, cut short where its records are
 * large. KEYS has every set; `set` names
 * the one, `backward` is '1' for newest first, `after` is 'score id' or ''. Returns the next `after`
 * or '', then eight a task: id and the seven of `describe`.
 */
export const list = fragment(
  'list',
  `
local key = letter ~= '' and (dead .. ':' .. letter) or
  ({ waiting = waiting, scheduled = scheduled, retryable = retryable, completed = completed,
    dead = dead, cancelled = cancelled })[set]
local back = backward == '1'
-- By bytes, as Redis orders what has one score; Lua's own order is a language's.
local function precedes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local start = 0
if after ~= '' then
  local score, id = string.match(after, '^(%S+) (.*)$')
  local current = call('ZSCORE', key, id)
  if current and tonumber(current) == tonumber(score) then
    start = call(back and 'ZREVRANK' or 'ZRANK', key, id) + 1
  else
    -- It has left its place, and so may have any number of those that share its score.
    start = call('ZCOUNT', key, back and '(' .. score or '-inf', back and '+inf' or '(' .. score)
    local low, high = 0, id == '' and 0 or call('ZCOUNT', key, score, score)
    while low < high do
      local middle = math.floor((low + high) / 2)
      local at = text(start + middle)
      local other = call(back and 'ZREVRANGE' or 'ZRANGE', key, at, at)[1]
      if precedes(other, id) ~= back then low = middle + 1 else high = middle end
    end
    start = start + low
  end
end
limit = tonumber(limit)
local page = call(back and 'ZREVRANGE' or 'ZRANGE', key, text(start), text(start + limit - 1), 'WITHSCORES')
local answer = { '' }
local bytes, last = 0, 0
-- Some at a time: more of them than are shown would be read in vain where they are large.
for first = 1, #page, ${atOnce * 2} do
  local ids = {}
  for i = first, math.min(first + ${atOnce * 2 - 1}, #page), 2 do ids[#ids + 1] = page[i] end
  local columns = { call('HMGET', tasks, unpack(ids)), call('HMGET', attempts, unpack(ids)),
    call('HMGET', results, unpack(ids)), call('HMGET', progress, unpack(ids)) }
  for n, id in ipairs(ids) do
    local at = first + n * 2 - 2
    local blob, size = columns[1][n], #answer
    answer[size + 1], answer[size + 2], answer[size + 3] = id, blob or '1\\n', set
    answer[size + 4] = page[at + 1]
    for i = 2, 4 do answer[size + 3 + i] = blob and columns[i][n] or '' end
    answer[size + 8] = set == 'waiting' and text(start + (at - 1) / 2) or ''
    for field = size + 2, size + 8 do bytes = bytes + #answer[field] end
    last = at
    if bytes > ${mostBytes} then break end
  end
  if bytes > ${mostBytes} then break end
end
if last > 0 and (last + 1 < #page or #page == limit * 2) then
  answer[1] = string.format('%.2f', tonumber(page[last + 1])) .. ' ' .. page[last]
end
return answer
`,
)

/**
 * Now, paused, live workers, depth of each state, remembered ids, the limits that hold, those of the
 * config and the token bucket, since when there is no worker where there is none, and of the oldest of
 * each level what stands before its payload.
 */
export const counts = fragment(
  'counts',
  `
local state = call('HMGET', meta, 'paused', 'limit', 'limitSaid', 'bucket', 'workerless')
local live, gone = call('ZCOUNT', workers, text(now), '+inf'), ''
if tonumber(live) == 0 then
  -- One that fell silent is there until somebody looks after it.
  local last = tonumber(call('ZREVRANGE', workers, '0', '0', 'WITHSCORES')[2] or '0')
  gone = math.max(last, tonumber(state[5] or '') or 0)
  gone = gone > 0 and text(gone) or ''
end
local answer = { text(now), state[1] and '1' or '',
  text(live),
  text(call('ZCARD', scheduled)), text(call('ZCARD', waiting)), text(call('HLEN', active)),
  text(call('ZCARD', retryable)), text(call('ZCARD', completed)), text(call('ZCARD', dead)),
  text(call('ZCARD', cancelled)), text(call('HLEN', own)),
  state[2] or '', state[3] or '', state[4] or '', gone }
for level = 0, 3 do
  local first = call('ZRANGEBYSCORE', waiting, text(level * 2251799813685248),
    '(' .. text((level + 1) * 2251799813685248), 'LIMIT', '0', '1')[1]
  local blob = first and call('HGET', tasks, first)
  if first then answer[#answer + 1] = string.match(blob or '', '^[^\\n]*\\n[^\\n]*\\n') or '' end
end
return answer
`,
)

/** How many lie under a dead-letter key within a time, and when the first and the last of them died. */
export const deadSpan = fragment(
  'deadSpan',
  `
local key = dead .. ':' .. letter
local oldest = call('ZRANGEBYSCORE', key, first, last, 'WITHSCORES', 'LIMIT', '0', '1')
local count = tonumber(call('ZCOUNT', key, first, last))
if count == 0 then return { '0' } end
local behind = last == '+inf' and 0 or tonumber(call('ZCOUNT', key, '(' .. last, '+inf'))
local newest = call('ZREVRANGE', key, text(behind), text(behind), 'WITHSCORES')
return { text(count), oldest[2], newest[2] }
`,
)

export const letters = fragment(
  'letters',
  `
local answer = {}
for _, name in ipairs(call('SMEMBERS', deadLetters)) do
  answer[#answer + 1] = name
  answer[#answer + 1] = text(call('ZCARD', dead .. ':' .. name))
end
return answer
`,
)
