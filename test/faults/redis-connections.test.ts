import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { testPrefix, until } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { ghosts } from './rig/ghosts.js'
import { makeRedis } from './rig/redis.js'
import { nextStart, underLoad } from './rig/under-load.js'

const lease = 1000

async function makeField() {
  const redis = await makeRedis()
  const prefix = testPrefix()
  const fleet = await makeFleet({ redis: { url: redis.url, prefix } })
  const workers = await Promise.all([fleet.work(), fleet.work()])
  const ghostsLeft = async () => {
    for (const { child } of workers) child.kill('SIGTERM')
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0])
    return await ghosts(redis.url, prefix)
  }
  return { redis, prefix, fleet, ghostsLeft }
}

experiment<{ times: number }>(
  { fault: 'SCRIPT FLUSH under load', short: { times: 20 }, long: { times: 200 } },
  async ({ times }) => {
    const { redis, fleet, ghostsLeft } = await makeField()
    const { finding, refused } = await underLoad(fleet, { rate: 500, ms: 0 }, async () => {
      for (let i = 0; i < times; i++) {
        await redis.tell('SCRIPT', 'FLUSH')
        await nextStart(fleet)
      }
    })
    expect(refused).toEqual({})
    expect(await ghostsLeft()).toEqual([])
    return { ...finding, lease }
  },
)

experiment<{ ms: number }>(
  {
    fault: 'CLIENT KILL of all connections each 200 ms',
    short: { ms: 3000 },
    long: { ms: 20_000 },
  },
  async ({ ms }) => {
    const { redis, fleet, ghostsLeft } = await makeField()
    const load = { rate: 500, ms: 20 }
    const { finding, startedAgain } = await underLoad(fleet, load, async () => {
      const end = performance.now() + ms
      while (performance.now() < end) {
        await redis.tell('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        await wait(200)
      }
    })
    // A lease is not bound to a connection: whoever runs a task goes on with it.
    expect(startedAgain).toBe(0)
    expect(await ghostsLeft()).toEqual([])
    return { ...finding, lease }
  },
)

experiment<{ times: number }>(
  { fault: 'FLUSHALL under load', short: { times: 1 }, long: { times: 10 } },
  async ({ times }) => {
    const { redis, prefix, fleet, ghostsLeft } = await makeField()
    let flushed = 0
    const options = { rate: 500, ms: 20, taken: (n: number) => n < flushed }
    const { finding, taken } = await underLoad(fleet, options, async (load) => {
      for (let i = 0; i < times; i++) {
        if (i > 0) await nextStart(fleet)
        await redis.tell('FLUSHALL')
        flushed = load.sent()
      }
    })
    const published = async () => Number(await redis.tell('EXISTS', `${prefix}:types`)) === 1
    await until(published, { describe: 'the catalogue to be published again' })
    expect(await ghostsLeft()).toEqual([])
    return { ...finding, lease, seen: `${taken} taken by FLUSHALL, ${finding.seen}` }
  },
)
