import { expect, test } from 'vitest'
import { read } from '../house/source.js'
import { adder, kernelOf } from '../kernel/stage.js'
import { testPrefix, until } from '../support/redis.js'
import * as rig from './durability-rig.js'

const { callsOf, halt, letGo, openClient, pair, partition, payloads, replicated, tell } = rig

const unknown = { code: 'store_unknown' }

/** Every way to send the same again. */
const repeats = {
  'a task of an id': (client: rig.RigClient) =>
    client.enqueue('note', { n: 1 }, { taskId: 'mine' }).then((task) => [task]),
  'a task under a key': (client: rig.RigClient) =>
    client.enqueue('note', { n: 1 }, { idempotencyKey: 'k' }).then((task) => [task]),
  'a task of a unique key': (client: rig.RigClient) =>
    client.enqueue('note', { n: 1 }, { uniqueKey: 'u' }).then((task) => [task]),
  'a batch under a key': (client: rig.RigClient) =>
    client.enqueueMany('note', payloads(3), { idempotencyKey: 'k' }),
  'a mixed batch, which is looked up before it is sent': (client: rig.RigClient) =>
    client.enqueueAll([
      { type: 'note', payload: { n: 1 }, options: { taskId: 'one' } },
      { type: 'note', payload: { n: 2 }, options: { taskId: 'two' } },
    ]),
}

test('an enqueue is acknowledged when a replica has it, with one WAIT for a batch', async () => {
  const { master } = await pair()
  const { client } = await openClient({ url: master.url }, { durability: replicated })
  await client.enqueue('note', { n: 0 })
  const before = await callsOf(master, 'wait')
  const made = await client.enqueueMany('note', payloads(100))
  expect(made.filter(({ duplicate }) => duplicate)).toEqual([])
  expect((await callsOf(master, 'wait')) - before).toBe(1)
})

test('a repeat is a write, for only what a connection wrote is waited for', async () => {
  const { master } = await pair()
  const { client } = await openClient({ url: master.url }, { durability: replicated })
  for (const send of Object.values(repeats)) {
    await send(client)
    const before = await callsOf(master, 'hincrby')
    await send(client)
    expect(await callsOf(master, 'hincrby')).toBeGreaterThan(before)
  }
})

test('without the setting nothing is waited for, and no connection is made for it', async () => {
  const { master, replica } = await pair()
  halt(replica)
  const before = await callsOf(master, 'wait')
  const { client } = await openClient({ url: master.url })
  await client.enqueueMany('note', payloads(100), { idempotencyKey: 'k' })
  await client.enqueueMany('note', payloads(100), { idempotencyKey: 'k' })
  await client.enqueueAll([{ type: 'note', payload: { n: 1 }, options: { taskId: 'a' } }])
  await client.enqueueAll([{ type: 'note', payload: { n: 1 }, options: { taskId: 'a' } }])
  expect(await callsOf(master, 'wait')).toBe(before)
  expect(await tell<string>(master, 'CLIENT', 'LIST')).not.toContain('redisdistro-durable')
})

test.each(Object.entries(repeats))('%s is no better known the second time', async (_, send) => {
  const { master, replica } = await pair()
  const parts = { durability: replicated, prefix: testPrefix(), commandTimeout: 500 }
  const { client } = await openClient({ url: master.url }, parts)
  await until(() => client.enqueue('note', { n: 0 }))
  halt(replica)
  await expect(send(client)).rejects.toMatchObject(unknown)
  await expect(send(client)).rejects.toMatchObject(unknown)
  // Nor does a connection know better that has never written anything.
  const other = await openClient({ url: master.url }, parts)
  await expect(send(other.client)).rejects.toMatchObject(unknown)
  letGo(replica)
  await until(() => send(client))
  const again = await until(() => send(other.client))
  expect(again.map(({ duplicate }) => duplicate)).toEqual(again.map(() => true))
})

test('what waits stops neither work nor looks, and settles within its deadline', async () => {
  const { master, replica } = await pair()
  const options = { durability: replicated, commandTimeout: 2000 }
  const { broker, client } = await openClient({ url: master.url }, options)
  const about = { host: 'here', pid: 1, concurrency: 1, startedAt: 0 }
  await broker.join(partition, 'w', 30_000, about)
  halt(replica)
  const start = performance.now()
  let settled = 0
  const refused = Array.from({ length: 12 }, (_, n) =>
    expect(
      client.enqueue('note', { n }, { taskId: `t${n}` }).finally(() => {
        settled += 1
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^store_/) }),
  )
  const retention = { age: 1000, count: 10 }
  const call = { worker: 'w', settled: [], wanted: 5, promote: true, retention }
  const leased = await until(async () => {
    const reply = await broker.cycle(partition, call)
    return !reply.lost && reply.leased.length > 0 && reply.leased
  })
  expect(await broker.find(partition, [leased[0]?.id ?? ''])).toMatchObject([{ state: 'active' }])
  expect(settled).toBe(0)
  await Promise.all(refused)
  expect(performance.now() - start).toBeLessThan(4000)
})

test('no acknowledged task is lost with its master', async () => {
  const { master, replica } = await pair()
  const { client, prefix } = await openClient({ url: master.url }, { durability: replicated })
  const acknowledged: string[] = []
  let killed = false
  const producers = Array.from({ length: 20 }, async () => {
    while (!killed) {
      const made = await client.enqueueMany('note', payloads(5)).catch(() => [])
      for (const { id } of made) acknowledged.push(id)
      if (made.length === 0) return
    }
  })
  await until(() => acknowledged.length > 2000)
  await master.kill()
  killed = true
  await Promise.all(producers)
  await tell(replica, 'REPLICAOF', 'NO', 'ONE')
  const { broker } = await openClient({ url: replica.url }, { prefix })
  const kept = await broker.find(partition, acknowledged)
  expect(kept.filter((task) => task === undefined)).toEqual([])
  expect(kept.length).toBe(acknowledged.length)
})

test('without a replica it is warned of, and no enqueue is acknowledged until one follows', async () => {
  const master = await rig.server('--repl-diskless-sync-delay', '0')
  const { client, warnings } = await openClient({ url: master.url }, { durability: replicated })
  expect(warnings.filter((line) => line.includes('has 0 replicas'))).toHaveLength(1)
  const send = () => client.enqueue('note', { n: 1 }, { taskId: 'a' })
  await expect(send()).rejects.toMatchObject(unknown)
  await rig.replicaOf(master)
  expect(await until(send)).toMatchObject({ id: 'a', duplicate: true })
})

test('as many replicas are waited for as are asked', async () => {
  const { master } = await pair()
  const durability = { kind: 'replicated', replicas: 2 } as const
  const { client } = await openClient({ url: master.url }, { durability })
  await expect(client.enqueue('note', { n: 1 })).rejects.toThrow('1 of 2 replicas')
  await rig.replicaOf(master)
  await until(() => client.enqueue('note', { n: 1 }))
})

/** Lets the docs' user of least rights in, with what is given besides. */
async function admit(redis: { readonly url: string }, prefix: string, ...more: string[]) {
  const [, rule = ''] = /```acl\nACL SETUSER ([\s\S]+?)```/.exec(read('docs/redis.md')) ?? []
  const [name = '', ...rights] = rule.trim().split(/\s+/)
  const own = rights.map((word) => (word === '~rd:*' ? `~${prefix}:*` : word))
  await tell(redis, 'ACL', 'SETUSER', name, 'reset', ...own, ...more)
  return { url: redis.url.replace('//', `//${name}:PASSWORD@`) }
}

test('a user that may not wait is refused at the start, and with that right the least is enough', async () => {
  const { master } = await pair()
  const prefix = testPrefix()
  const options = { durability: replicated, prefix }
  const refused = rig.clientOf(await admit(master, prefix), options)
  await expect(refused.broker.open()).rejects.toMatchObject({
    code: 'unsafe_redis',
    message: expect.stringMatching(/give it \+wait$/),
  })
  const { client } = await openClient(await admit(master, prefix, '+wait'), options)
  for (const send of Object.values(repeats)) {
    await send(client)
    await send(client)
  }
  await tell(master, 'ACL', 'SETUSER', 'redisdistro', '-wait')
  const send = client.enqueue('note', { n: 2 }, { taskId: 'b' })
  await expect(send).rejects.toThrow(/NOPERM.* may have been written/)
})

test('HTTP says 503 with Retry-After, and how to repeat', async () => {
  const { master, replica } = await pair()
  const kernel = await kernelOf({
    redis: { url: master.url, prefix: testPrefix(), durability: 'replicated' },
    plugins: [adder()],
    http: { port: 0 },
  })
  const { url = '' } = await kernel.start()
  const send = () =>
    fetch(`${url}/enqueue/add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: JSON.stringify({ a: 1, b: 2 }),
    })
  halt(replica)
  const answer = await send()
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject({
    code: 'store_unknown',
    detail: expect.stringMatching(/replicas.*repeat with the same idempotencyKey/),
  })
  letGo(replica)
  const repeat = await until(async () => {
    const each = await send()
    return each.ok && each
  })
  expect(await repeat.json()).toMatchObject({ duplicate: true })
})
