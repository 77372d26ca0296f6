import { fragment } from '../script.js'

/** Jobs that are remembered at most, and ms for which one that has ended is. */
const mostJobs = 100
const endedFor = 7 * 86_400_000

/** `holder state stopping endedAt` of a job, and what follows. */
export const jobHead = fragment(
  'jobHead',
  `
local function jobHead(value)
  local holder, state, stopping, ended, rest_ =
    string.match(value or '', '^(%S+) (%l+) ([01]) (%d+)\\n(.*)$')
  return { holder = holder, state = state, stopping = stopping, ended = tonumber(ended), json = rest_ }
end
local function jobText(head)
  return head.holder .. ' ' .. head.state .. ' ' .. head.stopping .. ' ' .. text(head.ended)
    .. '\\n' .. head.json
end
`,
)

/** A new job, held by nobody; the oldest of those that have ended make room. */
export const addJob = fragment(
  'addJob',
  `
local held = call('HGETALL', jobs)
local ended = {}
for i = 1, #held, 2 do
  local head = jobHead(held[i + 1])
  if head.state ~= 'running' then ended[#ended + 1] = { held[i], head.ended or 0 } end
end
table.sort(ended, function(a, b) return a[2] < b[2] end)
local count = #held / 2
for _, one in ipairs(ended) do
  if count >= ${mostJobs} or one[2] < now - ${endedFor} then
    call('HDEL', jobs, one[1])
    count = count - 1
  end
end
if count >= ${mostJobs} then return 'full' end
call('HSET', jobs, id, jobText({ holder = '-', state = 'running', stopping = '0', ended = 0, json = json }))
call('ZADD', jobsHeld, '0', id)
return 'added'
`,
)

/** The first that nobody holds: its id and its record. */
export const takeJob = fragment(
  'takeJob',
  `
local id = call('ZRANGEBYSCORE', jobsHeld, '-inf', text(now), 'LIMIT', '0', '1')[1]
if not id then return {} end
local head = jobHead(call('HGET', jobs, id))
if head.state ~= 'running' then
  call('ZREM', jobsHeld, id)
  return {}
end
head.holder = holder
call('HSET', jobs, id, jobText(head))
call('ZADD', jobsHeld, text(now + tonumber(lease)), id)
return { id, jobText(head) }
`,
)

/** How far its holder is with it; one that was asked to stop ends where it is let go of. */
export const keepJob = fragment(
  'keepJob',
  `
local head = jobHead(call('HGET', jobs, id))
if head.holder ~= holder or head.state ~= 'running' then return 'lost' end
head.state, head.json = state, json
if tonumber(lease) == 0 then
  head.holder = '-'
  if head.stopping == '1' and state == 'running' then head.state = 'stopped' end
end
if head.state == 'running' then
  local heldUntil = head.holder == '-' and 0 or now + tonumber(lease)
  call('ZADD', jobsHeld, text(heldUntil), id)
else
  head.ended, head.stopping = now, '0'
  call('ZREM', jobsHeld, id)
end
call('HSET', jobs, id, jobText(head))
return head.stopping == '1' and 'stop' or 'kept'
`,
)

/** Whoever holds it is told with its next word; one that nobody holds is stopped at once. */
export const stopJob = fragment(
  'stopJob',
  `
local value = call('HGET', jobs, id)
if not value then return 'unknown' end
local head = jobHead(value)
if head.state ~= 'running' then return 'ended' end
head.stopping = '1'
if tonumber(call('ZSCORE', jobsHeld, id) or '0') <= now then
  head.holder, head.state, head.stopping, head.ended = '-', 'stopped', '0', now
  call('ZREM', jobsHeld, id)
end
call('HSET', jobs, id, jobText(head))
return 'asked'
`,
)
