import { expect, test } from 'vitest'
import { Client } from '../../src/client/client.js'
import type { Checked } from '../../src/client/contract.js'
import { accepted, clock, directoryOf, entry, recordingBroker } from './fake-broker.js'

const wantsTo = (payload: unknown): Checked =>
  typeof payload === 'object' && payload !== null && 'to' in payload
    ? { ok: true }
    : { ok: false, issues: [{ path: 'to', message: 'is missing' }] }

function stage() {
  const { broker, calls } = recordingBroker()
  const directory = directoryOf(
    entry({ type: 'email', check: wantsTo }),
    entry({ type: 'slow', queue: 'wide', partitions: 4, check: async () => ({ ok: true }) }),
  )
  return { client: new Client({ broker, directory, clock }), calls }
}

const good = { to: 'a@example.com' }

test.each([
  [
    'an unknown type',
    'sms',
    good,
    {},
    { code: 'unknown_type', message: "no task type 'sms'; there are email, slow" },
  ],
  [
    'a bad payload',
    'email',
    {},
    {},
    { code: 'bad_payload', issues: [{ path: 'to', message: 'is missing' }] },
  ],
  [
    'an unknown option',
    'email',
    good,
    { prio: 1 },
    { code: 'bad_option', issues: [{ path: 'prio' }] },
  ],
  [
    'a bad duration',
    'email',
    good,
    { delay: 'soon' },
    { code: 'bad_option', issues: [{ path: 'delay' }] },
  ],
  [
    'an unknown zone',
    'email',
    good,
    { tz: 'Mars/Base' },
    { code: 'bad_option', issues: [{ path: 'tz' }] },
  ],
  [
    'a time of no sense',
    'email',
    good,
    { runAt: 'tomorow 8am' },
    { code: 'bad_time', issues: [{ path: 'runAt' }] },
  ],
  [
    'runAt and delay',
    'email',
    good,
    { runAt: '5m', delay: '5m' },
    { code: 'bad_option', issues: [{ path: 'delay' }] },
  ],
  [
    'two makers of the id',
    'email',
    good,
    { taskId: 'a', idempotencyKey: 'b' },
    { code: 'bad_option', issues: [{ path: 'idempotencyKey' }] },
  ],
  [
    'uniqueFor alone',
    'email',
    good,
    { uniqueFor: '1h' },
    { code: 'bad_option', issues: [{ path: 'uniqueFor' }] },
  ],
  [
    'uniqueKey over partitions',
    'slow',
    {},
    { uniqueKey: 'k' },
    { code: 'bad_option', issues: [{ path: 'uniqueKey' }] },
  ],
  [
    'an unknown queue',
    'email',
    good,
    { queue: 'nowhere' },
    {
      code: 'bad_option',
      issues: [{ path: 'queue', message: "no queue 'nowhere'; there are default, wide" }],
    },
  ],
])('%s is refused and nothing is written', async (_, type, payload, options, error) => {
  const { client, calls } = stage()
  await expect(client.enqueue(type, payload, options)).rejects.toMatchObject(error)
  expect(calls).toEqual([])
})

test('a batch names every bad payload by its index and writes nothing', async () => {
  const { client, calls } = stage()
  await expect(client.enqueueMany('email', [good, {}, good, 7])).rejects.toMatchObject({
    code: 'bad_payload',
    issues: [{ path: '1.to' }, { path: '3.to' }],
  })
  expect(calls).toEqual([])
})

test('an option of the whole batch is refused once', async () => {
  const { client } = stage()
  const refusal = (options: Record<string, unknown>) =>
    expect(client.enqueueMany('email', [good, good], options)).rejects
  await refusal({ taskId: 'a' }).toMatchObject({ code: 'bad_option', issues: [{ path: 'taskId' }] })
  await refusal({ uniqueKey: 'a' }).toMatchObject({ issues: [{ path: 'uniqueKey' }] })
  await refusal({ queue: 'nowhere' }).toMatchObject({ issues: [{ path: 'queue' }] })
  await refusal({ runAt: 'never' }).toMatchObject({ code: 'bad_time', issues: [{ path: 'runAt' }] })
})

test('a mixed batch names index and place of every fault', async () => {
  const { client, calls } = stage()
  const all = client.enqueueAll([
    { type: 'email', payload: good },
    { type: 'email', payload: {} },
    { type: 'slow', payload: 1, options: { delay: 'soon' } },
    { type: 'sms', payload: 1 },
    { type: 'slow', payload: 1, options: { runAt: 'never' } },
  ])
  await expect(all).rejects.toMatchObject({
    code: 'bad_payload',
    issues: [{ path: '1.to' }, { path: '2.delay' }, { path: '3.type' }, { path: '4.runAt' }],
  })
  expect(calls).toEqual([])
})

test('an empty batch is nothing', async () => {
  const { client, calls } = stage()
  expect(await client.enqueueMany('email', [])).toEqual([])
  expect(await client.enqueueAll([])).toEqual([])
  await expect(client.enqueueMany('sms', [])).rejects.toMatchObject({ code: 'unknown_type' })
  expect(calls).toEqual([])
})

test('options travel with the task', async () => {
  const { client, calls } = stage()
  await client.enqueue('email', good, {
    taskId: 'a7',
    priority: 'high',
    attempts: 3,
    timeout: '5s',
    expiresIn: '1h',
    uniqueKey: 'k',
    uniqueFor: '1m',
    tags: ['x'],
    delay: '10m',
  })
  expect(calls[0]?.tasks[0]).toMatchObject({
    id: 'a7',
    priority: 'high',
    due: { in: 600_000 },
    expiresIn: 3_600_000,
    unique: { key: 'k', for: 60_000 },
    fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
    body: { overrides: { attempts: 3, timeout: 5000 }, tags: ['x'] },
  })
})

test.each([{}, 'text', 7, null, undefined])('%j in place of an array is refused', async (given) => {
  const { broker, calls } = recordingBroker()
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  const none = given as never
  for (const refused of [
    client.enqueueMany('noop', none),
    client.enqueueMany('noop', none, { tags: ['x'] }),
    client.enqueueAll(none),
  ]) {
    await expect(refused).rejects.toMatchObject({
      name: 'RedisDistroError',
      code: 'bad_payload',
      message: expect.stringMatching(/^an array of (payloads|entries) is wanted$/),
    })
  }
  expect(calls).toEqual([])
})

test('an id that was used with another payload is refused', async () => {
  const { broker } = recordingBroker(undefined, (tasks) =>
    accepted(tasks).map((each) => ({ ...each, duplicate: true, differs: true })),
  )
  const client = new Client({ broker, directory: directoryOf(entry()), clock })
  await expect(client.enqueue('noop', {}, { taskId: 'a7' })).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: 'taskId' }],
  })
})
