import { fragment } from '../script.js'

/** Completed ids are gathered and written at once; with nothing to keep, the record goes at once. */
export const complete = fragment(
  'complete',
  `
local completedIds, completedPlaces, completedResults = {}, {}, {}
local function complete(id, record)
  completedIds[#completedIds + 1] = id
  if keepCount > 0 then
    local n = #completedPlaces
    completedPlaces[n + 1], completedPlaces[n + 2] = text(now), id
    completedResults[n + 1], completedResults[n + 2] = id, record
  end
end
local function writeCompleted()
  local amount = #completedIds
  if amount == 0 then return end
  if keepCount > 0 then
    call('ZADD', completed, unpack(completedPlaces))
    call('HSET', results, unpack(completedResults))
    local over = tonumber(call('ZCARD', completed)) - keepCount
    if over > 0 then
      local oldest = call('ZRANGE', completed, '0', text(math.min(over, 2000) - 1))
      call('ZREM', completed, unpack(oldest))
      call('HDEL', tasks, unpack(oldest))
      call('HDEL', results, unpack(oldest))
      call('HDEL', attempts, unpack(oldest))
    end
  else
    call('HDEL', tasks, unpack(completedIds))
  end
  count('completed', amount)
  count('runMs', tonumber(ran))
  count('waitMs', tonumber(waited))
end
`,
)
