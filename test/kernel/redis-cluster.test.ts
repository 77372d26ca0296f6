import { definePlugin, defineTask, FatalError } from 'redisdistro'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { testPrefix, testRedisServer, until } from '../support/redis.js'
import { startCluster, type TestCluster } from '../support/redis-cluster.js'
import { batch, partitions, underLoad } from './load.js'
import { kernelOf } from './stage.js'

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

describe('a kernel on a Redis Cluster', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startCluster(testRedisServer(), { replicas: true })
  })
  afterAll(() => cluster?.stop())

  async function started() {
    const ran: number[] = []
    const payload = z.object({ n: z.number(), fails: z.boolean().optional() })
    const handle = ({ n, fails }: z.infer<typeof payload>) => {
      if (fails) throw new FatalError('it broke')
      ran.push(n)
      return { n }
    }
    const one = defineTask({ type: 'one', payload, handle })
    const many = defineTask({ type: 'many', queue: 'wide', payload, handle })
    const kernel = await kernelOf({
      redis: { cluster: cluster.settings, prefix: testPrefix() },
      plugins: [definePlugin({ name: 'stage', tasks: [one, many] })],
      queues: { wide: { partitions } },
      http: { port: 0 },
    })
    const { url = '' } = await kernel.start()
    return { client: kernel.client, operator: kernel.operator, ran, url }
  }

  test('runs what comes by program and HTTP, in queues of one and of several parts', async () => {
    const { client, operator, ran, url } = await started()
    await client.enqueue('one', { n: 0 })
    const made = await client.enqueueMany(
      'many',
      numbers(500, 1).map((n) => ({ n })),
    )
    const answer = await fetch(`${url}/enqueue/many/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(numbers(500, 501).map((n) => ({ n }))),
    })
    expect(answer.status).toBe(202)
    await until(() => ran.length === 1001)
    expect([...ran].sort((a, b) => a - b)).toEqual(numbers(1001))
    expect(await operator.waitFor(`${made[0]?.id}`, 5000)).toMatchObject({ result: { n: 1 } })
    expect((await operator.stats()).total).toMatchObject({ enqueued: 1001, completed: 1001 })
    for (const path of ['ready', 'queues', 'workers', 'stats', 'metrics', 'dead-letters']) {
      expect([path, (await fetch(`${url}/${path}`)).status]).toEqual([path, 200])
    }
  })

  test('an operator moves, pauses, pages through and counts what lies in all parts', async () => {
    const { client, operator, ran } = await started()
    await client.enqueue('many', { n: 1 }, { delay: 200 })
    const far = await client.enqueue('many', { n: 2 }, { runAt: 'tomorrow 8am', tz: 'Europe/Rome' })
    expect(far.state).toBe('scheduled')
    expect(await operator.cancel(far.id)).toMatchObject({ ok: true })
    expect(await operator.requeue(far.id)).toMatchObject({ ok: true })
    await until(() => ran.length === 2)

    await client.enqueueMany(
      'many',
      numbers(30).map((n) => ({ n, fails: true })),
    )
    const letters = async () => (await operator.deadLetters())[0]?.count
    await until(async () => (await letters()) === 30)
    await operator.pause('wide')
    await operator.requeueDead('dead', {})
    expect((await operator.queue('wide')).depth.waiting).toBe(30)
    const seen = new Set<string>()
    for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
      const more = cursor === undefined ? {} : { cursor }
      const { items, cursor: next } = await operator.tasks({ state: 'waiting', limit: 7, ...more })
      for (const { id } of items) seen.add(id)
      cursor = next
    }
    expect(seen.size).toBe(30)
    await operator.resume('wide')
    await until(async () => (await letters()) === 30)
    await operator.purgeDead('dead', {})
    expect(await operator.deadLetters()).toEqual([])
  })

  test('works on while slots move', async () => {
    const { prefix, ran, missing, drained, finish } = await underLoad({
      cluster: cluster.settings,
    })
    await until(() => ran.size > 200)
    for (const part of numbers(partitions)) {
      const key = `${prefix}:{wide:${part}}:wake`
      const from = await cluster.masterOf(key)
      const to = cluster.nodes.slice(0, 3).find((node) => node !== from)
      if (to) await cluster.moveSlotOf(key, to)
    }
    const before = ran.size
    await until(() => ran.size > before + 200)
    await finish()
    // While a slot's keys lie in two places Redis runs no script on them, and calls may be refused.
    await until(() => missing() === 0)
    await until(drained)
  })

  test('goes on when a master was killed', async () => {
    const load = await underLoad({ cluster: cluster.settings })
    await until(() => load.ran.size > 200)
    await (await cluster.masterOf(`${load.prefix}:{wide:0}:wake`)).kill()
    await until(() => load.failures.length > 0)
    const before = load.ran.size
    await until(() => load.ran.size > before + 200, { timeout: 15_000, describe: 'work to go on' })
    await load.finish()
    // What was acknowledged in the very moment may not have reached the replica.
    await until(() => load.missing() <= batch)
    await until(load.drained)
  })
})
