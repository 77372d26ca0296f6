import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { catalogueDirectory } from '../../src/client/catalogue-directory.js'
import { Client } from '../../src/client/client.js'
import { checkBy, checkByJsonSchema, jsonSchemaOf } from '../../src/client/payload-schema.js'
import type { PublishedCatalogue } from '../../src/core/broker.js'
import { defineTask } from '../../src/core/definition.js'
import { brokerOf } from './fake-broker.js'
import { RedisStage, to } from './redis-stage.js'

const published = (schema: z.ZodType) =>
  checkByJsonSchema(
    JSON.parse(
      JSON.stringify(jsonSchemaOf(defineTask({ type: 't', payload: schema, handle: () => 1 }))),
    ),
  )

const person = z.object({ name: z.string() }).meta({ id: 'Person' })
const tree = z.object({
  name: z.string(),
  get kids() {
    return z.array(tree)
  },
})

test.each<[string, z.ZodType, unknown[]]>([
  [
    'formats and defaults',
    z.object({ to: z.email(), url: z.url(), n: z.int().min(1).default(3) }),
    [
      { to: 'a@example.com', url: 'https://example.com' },
      { to: 'a', url: 'https://example.com' },
      { to: 'a@example.com', url: 'https://example.com', n: 1.5 },
      { to: 'a@example.com' },
    ],
  ],
  ['unknown keys', z.strictObject({ a: z.string() }), [{ a: '' }, { a: '', b: 1 }]],
  [
    'unions',
    z.discriminatedUnion('t', [
      z.object({ t: z.literal('a'), x: z.number() }),
      z.object({ t: z.literal('b') }),
    ]),
    [{ t: 'a', x: 1 }, { t: 'a' }, { t: 'b' }, { t: 'c' }],
  ],
  [
    'named parts',
    z.object({ one: person, many: z.array(person) }),
    [
      { one: { name: 'a' }, many: [{ name: 'b' }] },
      { one: { name: 'a' }, many: [{}] },
    ],
  ],
  [
    'parts of themselves',
    tree,
    [
      { name: 'a', kids: [{ name: 'b', kids: [] }] },
      { name: 'a', kids: [{}] },
    ],
  ],
  [
    'records and tuples',
    z.object({ r: z.record(z.string(), z.number()), t: z.tuple([z.string(), z.number()]) }),
    [
      { r: { a: 1 }, t: ['a', 1] },
      { r: { a: 'x' }, t: ['a', 1] },
      { r: {}, t: ['a'] },
    ],
  ],
  [
    'enums and null',
    z.object({ e: z.enum(['a', 'b']), n: z.string().nullable() }),
    [{ e: 'a', n: null }, { e: 'c', n: null }, { e: 'a' }],
  ],
  ['coercion', z.object({ n: z.coerce.number() }), [{ n: '5' }, { n: 5 }]],
])('the published schema judges %s as the own one does', (_, schema, payloads) => {
  const check = published(schema)
  for (const payload of payloads) {
    expect({ payload, ...check(payload) }).toMatchObject({
      payload,
      ok: schema.safeParse(payload).success,
    })
  }
})

test('what JSON Schema cannot say passes, for the worker to check', () => {
  expect(published(z.object({ a: z.string().refine((a) => a === 'x') }))({ a: 'y' })).toEqual({
    ok: true,
  })
  expect(checkByJsonSchema({ unevaluatedProperties: false })({ a: 'y' })).toEqual({ ok: true })
})

test('a schema that waits for something is waited for', async () => {
  const check = checkBy(z.object({ a: z.string().refine(async (a) => a === 'x', 'must be x') }))
  expect(await check({ a: 'x' })).toEqual({ ok: true })
  expect(await check({ a: 'y' })).toEqual({
    ok: false,
    issues: [{ path: 'a', message: 'must be x' }],
  })
})

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
})
afterEach(() => stage.close())

test('a client without config learns types, places and schemas from Redis', async () => {
  const { broker, clock } = stage
  await stage.publish()
  const realName = (queue: string) => (queue === 'default' ? 'main' : queue)
  const directory = catalogueDirectory({ broker, clock, realName })
  const client = new Client({ broker, directory, clock })
  const made = await client.enqueue('email', to(1), { queue: 'default', runAt: 'tomorrow 8am' })
  expect(made).toMatchObject({ queue: 'main', state: 'scheduled', tz: 'Europe/Rome' })
  expect(await stage.operator.task(made.id)).toMatchObject({ payload: to(1) })
  await expect(client.enqueue('email', { to: 'nobody' })).rejects.toMatchObject({
    code: 'bad_payload',
    issues: [expect.objectContaining({ path: 'to' })],
  })
  const own = await stage.directory.type('email')
  expect(await client.type('email')).toMatchObject({
    queue: 'main',
    deadLetter: 'dead',
    fields: own?.fields,
    schema: own?.schema,
  })
  expect([...(own?.fields ?? [])]).toEqual(['to', 'n', 'runAt'])
})

test('a type that is not known is looked up anew before it is refused, once a second at most', async () => {
  let now = 0
  let reads = 0
  let catalogue: PublishedCatalogue = { types: [], queues: [], layouts: [] }
  const broker = brokerOf({
    catalogue: async () => {
      reads++
      return catalogue
    },
  })
  const directory = catalogueDirectory({
    broker,
    clock: { now: () => now, monotonic: () => now },
    realName: (queue) => queue,
  })
  expect(await directory.type('late')).toBeUndefined()
  expect(await directory.type('late')).toBeUndefined()
  expect(reads).toBe(1)
  const late = {
    type: 'late',
    queue: 'q',
    partitions: 2,
    deadLetter: 'dead',
    tz: 'UTC',
    schema: {},
  }
  catalogue = { types: [late], queues: [], layouts: [] }
  now = 1001
  expect(await directory.type('late')).toMatchObject({ queue: 'q', partitions: 2 })
  expect(reads).toBe(2)
  now = 20_000
  expect(await directory.type('late')).toBe(await directory.type('late'))
})
