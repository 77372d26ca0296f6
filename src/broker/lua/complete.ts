import { fragment } from '../script.js'

/** Completed tasks are gathered and written at once; with nothing to keep, the record goes at once. */
export const complete = fragment(
  'complete',
  `
local completions, completedPlaces, completedResults = 0, {}, {}
local function forget(ids, amount)
  completions = completions + amount
  if heard then tell('prune gone', ids, amount) end
  call('HDEL', tasks, unpack(ids, 1, amount))
  -- A requeued task may have its history still.
  if call('EXISTS', attempts) == 1 then call('HDEL', attempts, unpack(ids, 1, amount)) end
end
local function complete(id, record)
  if keepCount == 0 then return forget({ id }, 1) end
  local n = #completedPlaces
  completedPlaces[n + 1], completedPlaces[n + 2] = text(now), id
  completedResults[n + 1], completedResults[n + 2] = id, record
end
local function writeCompleted()
  if #completedPlaces == 0 then return end
  completions = completions + #completedPlaces / 2
  call('ZADD', completed, unpack(completedPlaces))
  call('HSET', results, unpack(completedResults))
  completedPlaces, completedResults = {}, {}
  local over = tonumber(call('ZCARD', completed)) - keepCount
  if over <= 0 then return end
  local oldest = call('ZRANGE', completed, '0', text(math.min(over, 2000) - 1))
  if heard then tell('prune gone', oldest, #oldest) end
  call('ZREM', completed, unpack(oldest))
  call('HDEL', tasks, unpack(oldest))
  call('HDEL', results, unpack(oldest))
  call('HDEL', attempts, unpack(oldest))
end
`,
)

export const countCompleted = fragment(
  'countCompleted',
  `
if completions > 0 then
  count('completed', completions)
  count('runMs', tonumber(ran))
  count('waitMs', tonumber(waited))
end
`,
)
