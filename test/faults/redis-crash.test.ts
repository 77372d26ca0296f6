import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { testPrefix, until } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { callApi, overHttp } from './rig/http.js'
import { appendOnly, type MortalRedis, makeRedis } from './rig/redis.js'
import { nextStart, underLoad } from './rig/under-load.js'

const lease = 1000
const fleetOn = ({ url }: MortalRedis, prefix = testPrefix()) =>
  makeFleet({ redis: { url, prefix } })

interface Away {
  /** ms from its end to its return; at once where 0. */
  readonly away: number
  /** How often it is killed. */
  readonly rounds?: number
}

experiment<Away>(
  {
    fault: 'redis-server killed under load, appendfsync always',
    short: { away: 0 },
    long: { away: 0, rounds: 10 },
  },
  async ({ away, rounds = 1 }) => {
    const redis = await makeRedis({ args: appendOnly('always') })
    const fleet = await fleetOn(redis)
    await fleet.work()
    const { finding } = await underLoad(fleet, {}, async () => {
      for (let round = 1; round <= rounds; round++) {
        if (round > 1) await nextStart(fleet)
        await redis.kill()
        await wait(away)
        await redis.start()
      }
    })
    return { ...finding, lease }
  },
)

experiment<Away>(
  {
    fault: 'redis-server killed under load, appendfsync everysec, and away for long',
    short: { away: 2500 },
    long: { away: 25_000 },
  },
  async ({ away }) => {
    const redis = await makeRedis({ args: appendOnly('everysec') })
    const fleet = await fleetOn(redis)
    await fleet.work()
    const { url } = await fleet.produce()
    const client = overHttp(url)
    const { finding } = await underLoad(fleet, { client }, async () => {
      await redis.kill()
      await wait(away)
      await redis.start()
    })
    // No answer came to what was under way when it died; all the rest was not taken.
    for (const refusal of client.refusals) {
      expect(refusal).toMatch(/^503 store_(away|unknown), again after 1$/)
    }
    expect(client.refusals.size).toBeGreaterThan(0)
    return { ...finding, lease }
  },
)

experiment<Away>(
  { fault: 'idle, redis-server away', short: { away: 2500 }, long: { away: 25_000 } },
  async ({ away }) => {
    const redis = await makeRedis({ args: appendOnly('everysec') })
    const fleet = await fleetOn(redis)
    const worker = await fleet.work()
    const first = await fleet.client.enqueue('note', { n: 0 })
    await fleet.ended([first.id])
    await redis.kill()
    await wait(away)
    await redis.start()
    const recovering = nextStart(fleet)
    const task = await until(() => fleet.client.enqueue('note', { n: 1 }), { timeout: 30_000 })
    const recovery = await recovering
    expect(await fleet.ended([task.id])).toEqual(['completed'])
    expect(recovery).toBeLessThan(10_000)
    expect(worker.kernels()).toHaveLength(1)
    return { acknowledged: 2, lost: 0, twice: 0, recovery, lease }
  },
)

experiment<Away>(
  { fault: 'redis-server away when all start', short: { away: 1500 }, long: { away: 25_000 } },
  async ({ away }) => {
    const redis = await makeRedis({ args: appendOnly('everysec'), later: true })
    const prefix = testPrefix()
    const fleet = await fleetOn(redis, prefix)
    const worker = await fleet.work()
    const { url, running } = await fleet.produce()
    const ready = await callApi(`${url}/ready`, {})
    const call = { method: 'POST', body: { n: 1 } } as const
    const refused = await callApi(`${url}/enqueue/note`, call)
    for (const { status, body, retryAfter } of [ready, refused]) {
      expect([status, body['code'], retryAfter]).toEqual([503, 'store_away', '1'])
    }
    await wait(away)
    await redis.start()
    const recovering = nextStart(fleet)
    const took = async () => (await callApi(`${url}/enqueue/note`, call)).status === 202
    await until(took, { timeout: 30_000 })
    const recovery = await recovering
    expect(recovery).toBeLessThan(10_000)
    await until(async () => (await callApi(`${url}/ready`, {})).status === 200)
    expect([worker.kernels().length, running.kernels().length]).toEqual([1, 1])
    // Who has no config finds there what they may enqueue, and by which number of partitions.
    await until(async () => Number(await redis.tell('EXISTS', `${prefix}:types`)) === 1)
    return { acknowledged: 1, lost: 0, twice: 0, recovery, lease }
  },
)
