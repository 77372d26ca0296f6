import { fragment } from '../script.js'

/** Whether somebody listens, for scripts that are not of the hot path: those know it by the way. */
export const hear = fragment('hear', "local heard = call('EXISTS', listen) == 1")

/** Records that are read by one command. */
const atOnce = 50

/**
 * What a script moved, gathered where somebody listens: fields `transition state` of one stream entry,
 * each with a line a task, `id type attempt`; an attempt that `runs` does not name is the first. Its type is read while its record is there. `publish`
 * writes the entry; that it cannot changes nothing of the moves. An entry counts as its moves and five
 * more: each time that 25,000 have come, what is older than the 25,000 before them is cut off, so that an
 * entry takes no more place than its own. Both are made only where `heard` is true: a script pays for
 * what it defines.
 */
export const tell = fragment(
  'tell',
  `
local tell, publish
if heard then
  local told, sum = {}, 0
  tell = function(kind, ids, amount, runs, blobs)
    if amount == 0 then return end
    local lines = {}
    -- Some at a time: records may be large, and each is let go of once its type is read.
    for first = 1, amount, ${atOnce} do
      local last = math.min(first + ${atOnce - 1}, amount)
      local some = blobs or call('HMGET', tasks, unpack(ids, first, last))
      local before = blobs and 0 or first - 1
      for i = first, last do
        local kindOf = string.match(some[i - before] or '', '^[^\\n]*\\n([^ \\n]*) ') or ''
        lines[i] = ids[i] .. ' ' .. kindOf .. ' ' .. (runs and text(runs[i] or 1) or '')
      end
    end
    told[#told + 1] = kind
    told[#told + 1] = table.concat(lines, '\\n')
    sum = sum + amount
  end
  publish = function()
    if sum == 0 then return end
    local size = tonumber(redis.pcall('HINCRBY', meta, 'told', text(sum + 5)))
    if size and size <= 25000 then
      redis.pcall('XADD', events, '*', 'at', text(now), unpack(told))
      return
    end
    local cut = redis.pcall('HGET', meta, 'toldFrom')
    cut = type(cut) == 'string' and string.match(cut, '^%d+%-%d+$') or '0'
    local id = redis.pcall('XADD', events, 'MINID', '~', cut, '*', 'at', text(now), unpack(told))
    if type(id) == 'string' then redis.pcall('HSET', meta, 'told', '0', 'toldFrom', id) end
  end
end
`,
)

/** At the end of a cycle. */
export const publishTold = fragment('publishTold', 'if heard then publish() end')

/**
 * Asks for moves to be told for `ms` from now on. Where nobody had, an entry `begin` says that what was
 * before it may not be told. The stream lies for `keep` ms after the last asking.
 */
export const listenFor = fragment(
  'listenFor',
  `
local untilMs = tonumber(call('HGET', meta, 'listen') or '') or 0
local begins = untilMs <= now or call('EXISTS', listen) == 0 or call('EXISTS', events) == 0
call('SET', listen, '1', 'PX', ms)
call('HSET', meta, 'listen', text(now + tonumber(ms)))
if begins then call('XADD', events, 'MAXLEN', '~', '10000', '*', 'at', text(now), 'begin', '') end
call('PEXPIRE', events, keep)
return 'ok'
`,
)
