import { fragment } from '../script.js'
import { mostBytes } from './lua.js'

/**
 * A page by id from behind `after`, cut short where its records are large. Returns the next `after` or
 * '', and '1' where the names are not those of the rules; then what is told of each.
 */
export const list = fragment(
  'listSchedules',
  `
limit = tonumber(limit)
local from = after == '' and '-' or '(' .. after
local page = call('ZRANGE', names, from, '+', 'BYLEX', 'LIMIT', '0', text(limit + 1))
out[1] = ''
out[2] = call('ZCARD', names) == call('HLEN', rules) and '' or '1'
local bytes = 0
for n, id in ipairs(page) do
  if n > limit or bytes > ${mostBytes} then
    out[1] = page[n - 1]
    break
  end
  describe(id)
  local stored = out[#out - 6]
  bytes = bytes + #stored
  if stored == '' then out[2] = '1' end
end
return out
`,
)

/** Names those of ARGV that have a rule. */
export const addNames = fragment(
  'addNames',
  `
for i = rest + 1, #ARGV do
  if call('HEXISTS', rules, ARGV[i]) == 1 then call('ZADD', names, '0', ARGV[i]) end
end
return '1'
`,
)

/** Takes names without a rule out, some from behind `after`; returns the next `after` or ''. */
export const dropNames = fragment(
  'dropNames',
  `
local from = after == '' and '-' or '(' .. after
local page = call('ZRANGE', names, from, '+', 'BYLEX', 'LIMIT', '0', '250')
for _, id in ipairs(page) do
  if call('HEXISTS', rules, id) == 0 then call('ZREM', names, id) end
end
return page[250] or ''
`,
)
