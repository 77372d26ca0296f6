import { fragment } from '../script.js'

/** `delay` in ms with the level in quarters, as in scheduled. */
export const retry = fragment(
  'retry',
  `
local retryPlaces, retriesSoon = {}, false
local function retry(id, delay, record, past)
  past.failures = past.failures + 1
  past.lines = past.lines .. record .. '\\n'
  local n = #retryPlaces
  retryPlaces[n + 1], retryPlaces[n + 2] = string.format('%.2f', now + tonumber(delay)), id
  if tonumber(delay) < 1000 then retriesSoon = true end
end
local function writeRetries()
  if #retryPlaces == 0 then return end
  call('ZADD', retryable, unpack(retryPlaces))
  count('retried', #retryPlaces / 2)
  if retriesSoon then wakeOne() end
end
`,
)
