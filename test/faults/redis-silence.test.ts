import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startLossyProxy } from '../support/lossy-proxy.js'
import { testPrefix, until } from '../support/redis.js'
import { type BlackHole, droppedPackets, mayDropPackets, proxiedHole } from './rig/black-hole.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { callApi, overHttp } from './rig/http.js'
import { makeRedis } from './rig/redis.js'
import { nextStart, underLoad } from './rig/under-load.js'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 })

const lease = 1000
/** ms that a caller may wait at most; the promise is a second or so. */
const answeredWithin = 3000

interface Silence {
  readonly ms: number
}

interface Behind {
  readonly hole: BlackHole
  readonly fleet: Fleet
}

async function makeBehind(kind: 'proxy' | 'system'): Promise<Behind> {
  const redis = await makeRedis()
  const hole = await (kind === 'proxy' ? proxiedHole : droppedPackets)(redis.port)
  const url = `redis://127.0.0.1:${hole.port}`
  return { hole, fleet: await makeFleet({ redis: { url, prefix: testPrefix() } }) }
}

async function idleInSilence({ hole, fleet }: Behind, { ms }: Silence) {
  await fleet.work()
  const first = await fleet.client.enqueue('note', { n: 0 })
  await fleet.ended([first.id])
  const { url } = await fleet.produce()
  const post = { method: 'POST', body: { n: -1 } } as const
  await hole.swallow()
  const end = performance.now() + ms
  let slowest = 0
  while (performance.now() < end) {
    const began = performance.now()
    const { status, retryAfter } = await callApi(`${url}/enqueue/note`, post)
    slowest = Math.max(slowest, performance.now() - began)
    expect([status, retryAfter]).toEqual([503, '1'])
    await wait(100)
  }
  await hole.heal()
  const recovering = nextStart(fleet, 1)
  const took = async () => {
    const { status } = await callApi(`${url}/enqueue/note`, { method: 'POST', body: { n: 1 } })
    return status === 202
  }
  await until(took, { timeout: 30_000 })
  const recovery = await recovering
  expect(slowest).toBeLessThan(2 * answeredWithin)
  expect(recovery).toBeLessThan(10_000)
  const seen = `slowest call ${(slowest / 1000).toFixed(1)} s`
  return { acknowledged: 2, lost: 0, twice: 0, recovery, lease, seen }
}

experiment<Silence>(
  {
    fault: 'idle, a connection that swallows everything',
    short: { ms: 3000 },
    long: { ms: 40_000 },
  },
  async (size) => await idleInSilence(await makeBehind('proxy'), size),
)

if (await mayDropPackets()) {
  experiment<Silence>(
    { fault: 'idle, packets dropped both ways', long: { ms: 40_000 } },
    async (size) => await idleInSilence(await makeBehind('system'), size),
  )
  experiment<Silence>(
    { fault: 'packets dropped both ways under load', long: { ms: 10_000 } },
    async ({ ms }) => {
      const { hole, fleet } = await makeBehind('system')
      await fleet.work()
      const { finding } = await underLoad(fleet, {}, async () => {
        await hole.swallow()
        await wait(ms)
        await hole.heal()
      })
      return { ...finding, lease }
    },
  )
}

experiment<Silence>(
  { fault: 'answers swallowed under load', short: { ms: 2500 }, long: { ms: 10_000 } },
  async ({ ms }) => {
    const { hole, fleet } = await makeBehind('proxy')
    await fleet.work()
    const { url } = await fleet.produce()
    const client = overHttp(url)
    const { finding } = await underLoad(fleet, { client, rate: 50, repeating: true }, async () => {
      await hole.swallow('answers')
      await wait(ms)
      await hole.heal()
    })
    // Callers who repeat under the same id until they are answered have one task each.
    expect(client.refusals.has('503 store_unknown, again after 1')).toBe(true)
    return { ...finding, lease }
  },
)

test('a task whose answer was swallowed runs once when it is repeated under its id or key', async () => {
  const { hole, fleet } = await makeBehind('proxy')
  const { url } = await fleet.produce()
  // Redis knows the scripts: what it then hears of a task is the task.
  const warm = await callApi(`${url}/enqueue/note?taskId=warm`, { method: 'POST', body: { n: 2 } })
  expect(warm.status).toBe(202)
  const ways = [
    { url: `${url}/enqueue/note?taskId=mine`, body: { n: 0 }, headers: {} },
    { url: `${url}/enqueue/note`, body: { n: 1 }, headers: { 'idempotency-key': 'k1' } },
  ]
  for (const way of ways) {
    const call = { method: 'POST', body: way.body, headers: way.headers } as const
    await until(async () => (await callApi(`${url}/ready`, {})).status === 200)
    await hole.swallow('answers')
    const first = await callApi(way.url, call)
    expect([first.status, first.body['code']]).toEqual([503, 'store_unknown'])
    await hole.heal()
    const again = async () => {
      const answer = await callApi(way.url, call)
      return answer.status === 202 && answer.body
    }
    expect(await until(again)).toMatchObject({ duplicate: true })
  }
  await fleet.work()
  await until(() => fleet.ledger.ends().length === 3)
  const { depth } = await fleet.operator.queue('default')
  expect(depth).toMatchObject({ completed: 3, waiting: 0, active: 0 })
  expect(
    fleet.ledger
      .starts()
      .map(({ n }) => n)
      .sort(),
  ).toEqual([0, 1, 2])
})

test('a call whose answer was lost is repeated by the client itself, and there is one task', async () => {
  const redis = await makeRedis()
  const proxy = await startLossyProxy()
  onTestFinished(() => proxy.close())
  proxy.target = redis.port
  const url = `redis://127.0.0.1:${proxy.port}`
  const fleet = await makeFleet({ redis: { url, prefix: testPrefix() } })
  const total = 20
  for (let n = 0; n < total; n++) {
    proxy.loseNextAnswer()
    await fleet.client.enqueue('note', { n })
  }
  await fleet.work()
  await until(() => fleet.ledger.ends().length >= total)
  const { depth } = await fleet.operator.queue('default')
  expect(depth).toMatchObject({ completed: total, waiting: 0, active: 0 })
  expect(fleet.ledger.starts()).toHaveLength(total)
})
