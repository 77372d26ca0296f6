import { fragment } from '../script.js'

/** What is due goes into line, at most 500 of each set. */
export const promote = fragment(
  'promote',
  `
if promoting == '1' then
  for _, set in ipairs({ scheduled, retryable }) do
    local due = call('ZRANGEBYSCORE', set, '-inf', text(now) .. '.99', 'WITHSCORES', 'LIMIT', '0', '500')
    local amount = #due / 2
    if amount > 0 then
      local sequence = sequences(amount)
      local ids, places = {}, {}
      for i = 1, amount do
        local id, score = due[i * 2 - 1], tonumber(due[i * 2])
        ids[i] = id
        places[i * 2 - 1] = place(levelOf(score), sequence + i)
        places[i * 2] = id
      end
      if heard then tell('promote waiting', ids, amount) end
      call('ZREM', set, unpack(ids))
      call('ZADD', waiting, unpack(places))
    end
  end
end
`,
)
