import { expect } from 'vitest'
import { testPrefix, until } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { callApi, overHttp } from './rig/http.js'
import { startLoad } from './rig/load.js'
import { type MortalRedis, makeRedis } from './rig/redis.js'
import { nextStart, underLoad } from './rig/under-load.js'

const lease = 1000
/** What has completed leaves nothing, so that a drained queue is an empty one. */
const keepsNothing = { defaults: { retention: { completed: { age: '1h', count: 0 } } } }

const fleetOn = (redis: MortalRedis) =>
  makeFleet({ redis: { url: redis.url, prefix: testPrefix() }, config: keepsNothing })

/** Room for so many bytes more than it has. */
async function limit(redis: MortalRedis, more: number) {
  const [, used = '0'] = /used_memory:(\d+)/.exec(String(await redis.tell('INFO', 'memory'))) ?? []
  await redis.tell('CONFIG', 'SET', 'maxmemory', Number(used) + more)
}

const unended = async (fleet: Fleet) => {
  const { depth } = await fleet.operator.queue('default')
  return depth.waiting + depth.scheduled + depth.retryable + depth.active
}

experiment({ fault: 'maxmemory reached under load, workers up', short: {} }, async () => {
  const redis = await makeRedis()
  const fleet = await fleetOn(redis)
  await fleet.work()
  const { url } = await fleet.produce()
  const client = overHttp(url)
  const { finding } = await underLoad(fleet, { client, rate: 100 }, async (load) => {
    await redis.tell('CONFIG', 'SET', 'maxmemory', 1)
    await until(() => load.refused.size > 50)
    await until(async () => (await unended(fleet)) === 0)
    await redis.tell('CONFIG', 'SET', 'maxmemory', 0)
  })
  expect([...client.refusals]).toEqual(['503 store_full, again after 1'])
  return { ...finding, lease }
})

experiment<{ bytes: number }>(
  {
    fault: 'maxmemory reached, workers start late',
    short: { bytes: 4_000_000 },
    long: { bytes: 40_000_000 },
  },
  async ({ bytes }) => {
    const redis = await makeRedis()
    const fleet = await fleetOn(redis)
    const { url } = await fleet.produce()
    const client = overHttp(url)
    await limit(redis, bytes)
    const filling = startLoad(fleet.client, {
      rate: 5000,
      task: (n) => ({ type: 'note', payload: { n, ballast: 'x'.repeat(2000) } }),
    })
    await until(() => filling.refused.size > 0, { timeout: 60_000 })
    await filling.stop()
    // Well over it, for what connections take of the memory comes and goes.
    await limit(redis, -bytes / 4)
    const began = performance.now()
    await expect(client.enqueue('note', { n: -1 })).rejects.toMatchObject({ code: 'store_full' })
    const answered = performance.now() - began
    await operatorsWork(url)
    const worker = await fleet.work()
    const recovering = nextStart(fleet)
    await until(async () => (await unended(fleet)) === 0, { timeout: 100_000 })
    const recovery = await recovering
    const runs = new Set(fleet.ledger.ends().map(({ n }) => n))
    const lost = [...filling.acknowledged].filter((n) => !runs.has(n)).length
    // The two that an operator took out, and no other.
    expect(lost).toBe(2)
    expect(fleet.ledger.ends()).toHaveLength(runs.size)
    expect([...filling.refused].filter(([n]) => runs.has(n))).toEqual([])
    // It takes again by itself, since what was done has gone.
    await client.enqueue('note', { n: -2 })
    await until(() => fleet.ledger.ends().some(({ n }) => n === -2))
    expect(answered).toBeLessThan(5000)
    expect(worker.kernels()).toHaveLength(1)
    const seen = `drained to 0; store_full after ${answered.toFixed(0)} ms`
    return { acknowledged: filling.acknowledged.size, lost: 0, twice: 0, recovery, lease, seen }
  },
)

/** Everything that a person may do, over HTTP, to a Redis that is full. */
async function operatorsWork(url: string) {
  const waiting = await callApi(`${url}/tasks?state=waiting&limit=3`, {})
  const [one, two, three] = (waiting.body['items'] as { id: string }[]).map(({ id }) => id)
  const answers = new Map<string, number>()
  const act = async (route: string, method: 'POST' | 'DELETE' = 'POST') => {
    answers.set(`${method} ${route}`, (await callApi(`${url}${route}`, { method })).status)
  }
  await act('/queues/default/pause')
  for (const id of [one, two, three]) await act(`/tasks/${id}/cancel`)
  await act(`/tasks/${three}/requeue`)
  await act(`/tasks/${two}`, 'DELETE')
  await act('/dead-letters/dead', 'DELETE')
  await act('/queues/default/resume')
  expect([...answers].filter(([, status]) => status >= 300)).toEqual([])
  expect((await callApi(`${url}/stats`, {})).status).toBe(200)
}
