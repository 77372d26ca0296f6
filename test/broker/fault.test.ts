import { expect, test } from 'vitest'
import { faultOf } from '../../src/broker/fault.js'

test.each([
  ["Stream isn't writeable and enableOfflineQueue options is false", 'store_away'],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'store_away'],
  ['connect ETIMEDOUT', 'store_away'],
  ['read ETIMEDOUT', 'store_unknown'],
  ['read ECONNRESET', 'store_unknown'],
  ['Connection is closed. Its answer is lost.', 'store_unknown'],
  ['Command timed out', 'store_unknown'],
  [
    'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request',
    'store_away',
  ],
  ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'store_away'],
  [
    'Too many Cluster redirections. Last error: Error: Connection is closed. Its answer is lost.',
    'store_unknown',
  ],
  ['Too many Cluster redirections. Last error: Error: Command timed out', 'store_unknown'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'store_full'],
])('what failed for "%s" is %s', (message, code) => {
  expect(faultOf(new Error(message), 'Redis').code).toBe(code)
})
