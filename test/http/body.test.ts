import { describe, expect, test } from 'vitest'
import { overLimit } from '../../src/http/payload-limits.js'
import { api, task } from './stand-in.js'

const json = { 'content-type': 'application/json' }

const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

describe('a body', () => {
  test.each([
    ['cut off', '{"to":'],
    ['nothing', ''],
    ['a word', 'hello'],
    ['a key __proto__', '{"__proto__":{"admin":true}}'],
    ['a prototype in a constructor', '{"a":{"constructor":{"prototype":{}}}}'],
  ])('that is %s is 400', async (_name, payload) => {
    const app = await api()
    const reply = await app.inject({
      method: 'POST',
      url: '/enqueue/email',
      payload,
      headers: json,
    })
    expect(reply.statusCode).toBe(400)
    expect(reply.json()).toMatchObject({ status: 400, code: 'bad_request' })
    expect(app.enqueuer.calls).toEqual([])
  })

  test('that is not UTF-8 is 400', async () => {
    const app = await api()
    const payload = Buffer.from([0x22, 0xff, 0x22])
    const reply = await app.inject({
      method: 'POST',
      url: '/enqueue/email',
      payload,
      headers: json,
    })
    expect(reply.statusCode).toBe(400)
    expect(reply.json().detail).toContain('UTF-8')
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/x-ndjson', 'rubbish'])(
    'of type %s is 415',
    async (type) => {
      const app = await api()
      const headers = { 'content-type': type }
      const reply = await app.inject({
        method: 'POST',
        url: '/enqueue/email',
        payload: '{}',
        headers,
      })
      expect(reply.statusCode).toBe(415)
      expect(reply.json()).toMatchObject({ status: 415, code: 'unsupported_media' })
      expect(app.enqueuer.calls).toEqual([])
    },
  )

  test('that is compressed is 415', async () => {
    const app = await api()
    const headers = { ...json, 'content-encoding': 'gzip' }
    const reply = await app.inject({
      method: 'POST',
      url: '/enqueue/email',
      payload: '{}',
      headers,
    })
    expect(reply.statusCode).toBe(415)
  })

  test('over the limit is 413', async () => {
    const app = await api({ bodyLimit: 100 })
    const payload = { to: 'x'.repeat(100) }
    const reply = await app.inject({ method: 'POST', url: '/enqueue/email', payload })
    expect(reply.statusCode).toBe(413)
    expect(reply.json()).toMatchObject({ status: 413, code: 'too_large' })
  })

  test('that nests too deep is 422, and a payload in a batch counts alone', async () => {
    const app = await api()
    const url = '/enqueue/email'
    const fits = await app.inject({ method: 'POST', url, payload: { a: nested(63) } })
    expect(fits.statusCode).toBe(202)
    const deep = await app.inject({ method: 'POST', url, payload: { a: nested(64) } })
    expect(deep.json()).toMatchObject({ status: 422, code: 'bad_payload' })
    const many = { to: Array.from({ length: 6000 }, () => 1) }
    const two = await app.inject({ method: 'POST', url: `${url}/batch`, payload: [many, many] })
    expect(two.statusCode).toBe(202)
    const batch = [many, { a: nested(64) }]
    const bad = await app.inject({ method: 'POST', url: `${url}/batch`, payload: batch })
    expect(bad.statusCode).toBe(422)
    expect(bad.json().issues).toEqual([{ path: '1', message: expect.stringContaining('64') }])
  })

  test('of half a million brackets is refused and breaks nothing', async () => {
    const app = await api()
    const payload = `${'['.repeat(500_000)}${']'.repeat(500_000)}`
    const reply = await app.inject({
      method: 'POST',
      url: '/enqueue/email',
      payload,
      headers: json,
    })
    expect(reply.statusCode).toBe(422)
  })

  test.each([
    ['none', undefined, undefined],
    ['none, called JSON', undefined, 'application/json'],
    ['none, called a form', undefined, 'application/x-www-form-urlencoded'],
    ['an empty object', '{}', 'application/json'],
  ])('that is %s is fine for a move', async (_name, payload, type) => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'waiting'))
    const headers = type === undefined ? {} : { 'content-type': type }
    const request = { method: 'POST', url: '/tasks/t/cancel', headers } as const
    const reply = await app.inject(payload === undefined ? request : { ...request, payload })
    expect(reply.statusCode).toBe(200)
  })

  test('is refused by a move that would ignore it', async () => {
    const app = await api()
    const payload = { queue: 'slow' }
    const reply = await app.inject({ method: 'POST', url: '/tasks/t/cancel', payload })
    expect(reply.statusCode).toBe(400)
    expect(app.operator.asked).toEqual([])
  })
})

test('limits of a payload are met exactly', () => {
  const values = (count: number) => Array.from({ length: count }, () => 0)
  const limits = { maxDepth: 64, maxValues: 10_000 }
  expect(overLimit(values(9_999), limits)).toBeUndefined()
  expect(overLimit(values(10_000), limits)).toContain('10000')
  expect(overLimit(nested(64), limits)).toBeUndefined()
  expect(overLimit(nested(65), limits)).toContain('64')
})

test('limits of a payload are the configured ones', async () => {
  const app = await api({ payload: { maxDepth: 2, maxValues: 5 } })
  const url = '/enqueue/email'
  const post = async (payload: object) =>
    (await app.inject({ method: 'POST', url, payload })).json()
  expect((await post({ to: 'a', b: { c: { d: 1 } } })).detail).toContain(
    'nests deeper than 2 levels',
  )
  expect((await post({ to: [1, 2, 3, 4] })).detail).toContain('holds more than 5 values')
  expect((await post({ to: [1, 2, 3] })).message).toBe('Task enqueued')
})
