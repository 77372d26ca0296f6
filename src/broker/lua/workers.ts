import { fragment } from '../script.js'

/** A lease under a new name. */
export const join = fragment(
  'join',
  `
call('ZADD', workers, text(now + tonumber(lease)), worker)
call('HSET', details, worker, about)
return text(now)
`,
)

/**
 * The lease goes on, and what was called off since is handed over; it stays until a later renewal
 * says in `heard` that this answer was not lost. 'lost' where it is over.
 */
export const renew = fragment(
  'renew',
  `
call('ZADD', workers, text(now + tonumber(lease_)), worker)
local told = call('HGET', orders, worker)
if not told then return { 'ok' } end
if heard == '' or string.sub(told, 1, #heard) ~= heard then return { 'ok', told } end
if #told == #heard then
  call('HDEL', orders, worker)
  return { 'ok' }
end
told = string.sub(told, #heard + 1)
call('HSET', orders, worker, told)
return { 'ok', told }
`,
)

/** Back to their places by id and fence, of one worker; ARGV after the named: id, fence. */
export const giveBack = fragment(
  'giveBack',
  `
local given = {}
for i = rest + 1, #ARGV, 2 do
  local id, fence = ARGV[i], ARGV[i + 1]
  local holder = call('HGET', active, id)
  if holder and string.sub(holder, 1, 16) == fence then
    call('HDEL', active, id)
    call('HDEL', progress, id)
    release(id, holder)
    given[#given + 1] = id
  end
end
if released > 0 then
  refund(released)
  wakeOne(nil, true)
end
if heard then
  tell('release waiting', given, #given)
  publish()
end
return { 'ok', text(released) }
`,
)

/** Stored while the task is held under this fence; otherwise nothing happens. */
export const keepProgress = fragment(
  'keepProgress',
  `
local holder = call('HGET', active, id)
if holder and string.sub(holder, 1, 16) == fence then call('HSET', progress, id, value) end
return { 'ok' }
`,
)

export const pause = fragment(
  'pause',
  `
if paused == '1' then
  call('HSET', meta, 'paused', '1')
  call('DEL', wake)
else
  call('HDEL', meta, 'paused')
  wakeOne(nil, true)
end
return 'ok'
`,
)
