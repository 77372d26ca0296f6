import { fragment } from '../script.js'

/**
 * Takes at most `wanted` from the front of the line. `fence` is the greater of its last value plus
 * one and Redis's microseconds, since a counter can roll back with a lost tail. Appends to `answer`
 * three a task: id, blob, head of its attempts or ''.
 */
export const lease = fragment(
  'lease',
  `
local stub = '1000 dead \\n{"type":"","payload":null,"enqueuedAt":0,"overrides":{},"tags":[]}'
local function setAsideMissing(id)
  call('HSET', tasks, id, stub)
  local past = parseAttempts(nil)
  remarkUnbegun(past, '"code":"internal","message":"its record was missing from the store"')
  call('HSET', attempts, id, formatAttempts(past))
  bury(id, 'dead')
end

local function lease(amount, lastFence, answer)
  local popped = call('ZPOPMIN', waiting, text(amount))
  local found = #popped / 2
  if found == 0 then return 0, 0 end
  local ids = {}
  for i = 1, found do ids[i] = popped[i * 2 - 1] end
  local blobs, pasts = call('HMGET', tasks, unpack(ids)), call('HMGET', attempts, unpack(ids))
  local fence = string.format('%016.0f', math.max(lastFence + 1, micros))
  local holders, size = {}, #answer
  for i = 1, found do
    local id, blob = ids[i], blobs[i]
    local startBy = blob and string.byte(blob, 3) == 49 and call('ZSCORE', expiring, id)
    if not blob then
      setAsideMissing(id)
    elseif startBy and tonumber(startBy) <= now then
      expire(id, blob)
    else
      local n = #holders
      holders[n + 1] = id
      holders[n + 2] = fence .. ' ' .. text(tonumber(popped[i * 2])) .. ' ' .. worker
      answer[size + 1], answer[size + 2] = id, blob
      answer[size + 3] = pasts[i] and string.match(pasts[i], '^[^\\n]*') or ''
      size = size + 3
    end
  end
  if #holders > 0 then
    call('HSET', meta, 'fence', fence)
    call('HSET', active, unpack(holders))
    answer[3] = fence
  end
  return found, #holders / 2
end
`,
)
