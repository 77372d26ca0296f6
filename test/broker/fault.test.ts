import { expect, test } from 'vitest'
import { faultOf, lackOf } from '../../src/broker/fault.js'

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

test.each([
  ["NOPERM User app has no permissions to run the 'xread' command", "the command 'xread'"],
  [
    "NOPERM this user has no permissions to run the 'xread' command or its subcommand",
    "the command 'xread'",
  ],
  [
    "ERR ACL failure in script: User app has no permissions to run the 'set' command script: f1, on @user_script:1.",
    "the command 'set'",
  ],
  [
    "ERR The user executing the script can't run this command or subcommand script: f1",
    'a command of a script',
  ],
  ['NOPERM No permissions to access a key', 'the keys'],
  ['NOPERM this user has no permissions to access one of the keys used as arguments', 'the keys'],
  ['NOAUTH Authentication required.', undefined],
  ['Command timed out', undefined],
])('what a user lacks by "%s" is %s', (message, lack) => {
  expect(lackOf(new Error(message))).toBe(lack)
})
