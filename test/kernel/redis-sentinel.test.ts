import { afterEach, beforeEach, test } from 'vitest'
import { testRedisServer, until } from '../support/redis.js'
import { startSentinels, type TestSentinels } from '../support/redis-sentinel.js'
import { batch, underLoad } from './load.js'

let sentinels: TestSentinels
beforeEach(async () => {
  sentinels = await startSentinels(testRedisServer())
})
afterEach(() => sentinels?.stop())

test('a kernel behind Sentinel goes on when the master was killed', async () => {
  const { url, ran, missing, drained, finish } = await underLoad({ sentinel: sentinels.settings })
  await until(() => ran.size > 200)
  await sentinels.master.kill()
  await until(async () => (await fetch(`${url}/ready`)).status === 503)
  const before = ran.size
  await until(() => ran.size > before + 200, { timeout: 15_000, describe: 'work to go on' })
  await finish()
  // What was acknowledged in the very moment may not have reached the replica.
  await until(() => missing() <= batch)
  await until(async () => (await fetch(`${url}/ready`)).status === 200)
  await until(drained)
})
