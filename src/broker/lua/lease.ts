import { fragment } from '../script.js'

/** A task that cannot be run: expired, or without its record. */
export const setOddAside = fragment(
  'setOddAside',
  `
local stub = '1\\n 0\\nnull'
local function setAsideMissing(id)
  call('HSET', tasks, id, stub)
  local past = parseAttempts(nil)
  remarkUnbegun(past, '"code":"internal","message":"its record was missing from the store"')
  call('HSET', attempts, id, formatAttempts(past))
  bury(id, 'dead')
  if heard then tell('bury dead', { id }, 1, nil, { stub }) end
  leaveBehind(id, 'dead', '1', '1', '0', '')
end
local odds = 0
local function odd(id, blob)
  if blob then expire(id, blob) else setAsideMissing(id) end
end
`,
)

/** Such a task goes back to its place: the answer says so, and the long script then deals with it. */
export const leaveOdd = fragment(
  'leaveOdd',
  `
local odds = 0
local function odd(id, _, score)
  call('ZADD', waiting, score, id)
  odds = odds + 1
end
`,
)

/**
 * Takes at most `wanted` from the front of the line. `fence` is the greater of its last value plus
 * one and Redis's microseconds, since a counter can roll back with a lost tail. Appends to `answer`
 * two a task, id and blob; where any task has a history three, with the head of its own or ''.
 */
export const lease = fragment(
  'lease',
  `
local function lease(amount, lastFence, answer)
  local byte, floor = string.byte, math.floor
  local popped = call('ZPOPMIN', waiting, text(amount))
  local found = #popped / 2
  if found == 0 then return 0, 0 end
  local ids = {}
  for i = 1, found do ids[i] = popped[i * 2 - 1] end
  local blobs = call('HMGET', tasks, unpack(ids))
  local pasts = call('EXISTS', attempts) == 1 and call('HMGET', attempts, unpack(ids))
  local fence = string.format('%016.0f', math.max(lastFence + 1, micros))
  local holders, leased, size, started = {}, 0, #answer, heard and {}
  local tail = ' ' .. worker
  local before = fence .. ' '
  for i = 1, found do
    local id, blob = ids[i], blobs[i]
    local flags = blob and (byte(blob) or 48) - 48
    local startBy = flags and flags > 7 and floor(flags / 8) % 2 == 1
      and call('ZSCORE', expiring, id)
    if not blob or (startBy and tonumber(startBy) <= now) then
      odd(id, blob, popped[i * 2])
    else
      leased = leased + 1
      holders[leased * 2 - 1], holders[leased * 2] = id, before .. popped[i * 2] .. tail
      answer[size + 1], answer[size + 2] = id, blob
      if heard then started[leased] = i end
      size = size + 2
      if pasts then
        size = size + 1
        answer[size] = pasts[i] and string.match(pasts[i], '^[^\\n]*') or ''
      end
    end
  end
  if leased > 0 then
    call('HSET', meta, 'fence', fence)
    call('HSET', active, unpack(holders))
    answer[3] = fence
    if heard then
      local startedIds, startedBlobs, runs = {}, {}, {}
      for n, i in ipairs(started) do
        local past = pasts and pasts[i]
        startedIds[n], startedBlobs[n] = ids[i], blobs[i]
        runs[n] = (tonumber(past and string.match(past, '^%d+') or '0')) + 1
      end
      tell('lease active', startedIds, leased, runs, startedBlobs)
    end
    answer[7] = pasts and '1' or ''
  end
  return found, leased
end
`,
)
