import type { StreamEntry } from '../script-store.js'

/** Before a field's name, since the mock keeps a hash in a plain object: `constructor` is in each. */
export const fieldMark = '.'

/** Between the id, fields and values of an entry, since the mock's streams give one id twice. */
const streamMark = '\x1e'

/** An entry of a stream, which is a list here. */
export function readEntry(text: string): StreamEntry {
  const [id = '', ...fields] = text.split(streamMark)
  return { id, fields }
}

/**
 * Redis's own ways, laid over the mock's. Its numbers are doubles (the mock's Lua wraps integers at
 * 32 bits); a list is a table with false for nothing; an empty value is not nothing; an emptied
 * sorted set does not exist; a score bound may have a fraction. A refused command ends the script
 * with Redis's words. Arguments of commands must be text, but for scores. Numbers in a list come as
 * text.
 */
const before = `
do
  local ask, type, tonumber_, floor, format = redis.pcall, type, tonumber, math.floor, string.format
  tonumber = function(value)
    local number = tonumber_(value)
    return number and number + 0.0
  end
  math.floor = function(number) return floor(number) + 0.0 end
  local function raw(...)
    local reply = ask(...)
    if type(reply) == 'userdata' and reply[0] == 'error' then error(reply[1], 0) end
    return reply
  end
  local function plain(reply)
    if type(reply) ~= 'userdata' then return reply end
    local list = {}
    for i = 1, #reply do
      local item = reply[i]
      if type(item) == 'userdata' then item = false end
      if type(item) == 'number' then item = format(item % 1 == 0 and '%.0f' or '%.17g', item) end
      list[i] = item
    end
    return list
  end
  local function marked(step, ...)
    local list = { ... }
    for i = 1, #list, step do list[i] = '${fieldMark}' .. list[i] end
    return table.unpack(list)
  end
  local function bound(text)
    if text == '-inf' or text == '+inf' then return text == '-inf' and -math.huge or math.huge, false end
    local open = string.sub(text, 1, 1) == '('
    return tonumber(open and string.sub(text, 2) or text), open
  end
  local function wide(text, number, step)
    if number == math.huge or number == -math.huge then return text end
    return format('%.0f', floor(number) + step)
  end
  local function within(key, low, high, ...)
    local least, above = bound(low)
    local most, below = bound(high)
    local offset, limit, scored = 0, math.huge, false
    local options = { ... }
    for i, option in ipairs(options) do
      if option == 'WITHSCORES' then scored = true end
      if option == 'LIMIT' then offset, limit = tonumber(options[i + 1]), tonumber(options[i + 2]) end
    end
    local near = raw('ZRANGEBYSCORE', key, wide(low, least, 0), wide(high, most, 1), 'WITHSCORES')
    local list, seen = {}, 0
    for i = 1, #near, 2 do
      if seen >= offset + limit then break end
      local score = tonumber(near[i + 1])
      if score >= least and score <= most and not (above and score == least)
        and not (below and score == most) then
        seen = seen + 1
        if seen > offset then
          list[#list + 1] = near[i]
          if scored then list[#list + 1] = near[i + 1] end
        end
      end
    end
    return list
  end
  local function fraction(low, high)
    return string.find(low, '.', 1, true) or string.find(high, '.', 1, true)
  end
  local own = {
    HGET = function(key, field)
      local value = raw('HMGET', key, '${fieldMark}' .. field)[1]
      return type(value) == 'string' and value
    end,
    HMGET = function(key, ...) return plain(raw('HMGET', key, marked(1, ...))) end,
    HSET = function(key, ...) return raw('HSET', key, marked(2, ...)) end,
    HDEL = function(key, ...) return raw('HDEL', key, marked(1, ...)) end,
    HEXISTS = function(key, field) return raw('HEXISTS', key, '${fieldMark}' .. field) end,
    HINCRBY = function(key, field, by) return raw('HINCRBY', key, '${fieldMark}' .. field, by) end,
    EXISTS = function(...)
      local sum = 0
      for _, key in ipairs({ ... }) do
        local exists = raw('EXISTS', key)
        local emptied = exists == 1 and raw('TYPE', key) == 'zset' and raw('ZCARD', key) == 0
        sum = sum + (emptied and 0 or exists)
      end
      return sum
    end,
    XADD = function(key, ...)
      local words = { ... }
      local fields = words[1] == '*' and 2 or 5
      local id = format('%.0f-0', raw('INCR', key .. ':ids'))
      raw('RPUSH', key, id .. '${streamMark}' .. table.concat(words, '${streamMark}', fields))
      if words[1] == 'MAXLEN' then raw('LTRIM', key, '-' .. words[3], '-1') end
      if words[1] == 'MINID' then
        -- Ids follow each other.
        local behind = tonumber(string.match(id, '%d+')) - tonumber(string.match(words[3], '%d+'))
        raw('LTRIM', key, format('-%.0f', behind + 1), '-1')
      end
      return id
    end,
    ZCOUNT = function(key, low, high)
      return fraction(low, high) and #within(key, low, high) or raw('ZCOUNT', key, low, high)
    end,
    ZRANGEBYSCORE = function(key, low, high, ...)
      if fraction(low, high) then return within(key, low, high, ...) end
      return plain(raw('ZRANGEBYSCORE', key, low, high, ...))
    end,
  }
  redis.call = function(name, ...)
    local special = own[name]
    if special then return special(...) end
    return plain(raw(name, ...))
  end
  redis.pcall = redis.call
end
local function script()
`

/** Every answer goes out as one text, since the mock cannot return a table that grew bit by bit. */
const after = `
end
local answer = script()
local items = type(answer) == 'table' and answer or { answer }
local sizes = {}
for i, item in ipairs(items) do sizes[i] = #item end
return (items == answer and '' or '=') .. table.concat(sizes, ',') .. ';' .. table.concat(items)
`

const texts = new Map<string, string>()

/** A script as the in-process store runs it; made once for each. */
export function inDialect(script: string): string {
  const known = texts.get(script)
  if (known !== undefined) return known
  const text = `${before}${script}${after}`
  texts.set(script, text)
  return text
}

/** What a script answered: text, or a list of texts. `reply` is sizes in bytes, then the texts. */
export function readAnswer(reply: string): string | string[] {
  const bytes = Buffer.from(reply)
  const body = bytes.indexOf(';') + 1
  const single = reply.startsWith('=')
  const sizes = bytes.toString('latin1', single ? 1 : 0, body - 1)
  const items: string[] = []
  let at = body
  for (const size of sizes === '' ? [] : sizes.split(',').map(Number)) {
    items.push(bytes.toString('utf8', at, at + size))
    at += size
  }
  return single ? (items[0] ?? '') : items
}
