import { describe, expect, test } from 'vitest'
import { RedisDistroError } from '../../src/core/errors.js'
import { silentLog } from '../../src/telemetry/log.js'
import { api } from './stand-in.js'

const payload = { to: 'a@example.com' }

describe('POST /enqueue/:type', () => {
  test('answers 202 with the task and where it is', async () => {
    const app = await api()
    const reply = await app.inject({ method: 'POST', url: '/enqueue/email', payload })
    expect(reply.statusCode).toBe(202)
    expect(reply.headers.location).toBe('/tasks/id-1')
    expect(reply.json()).toEqual({
      message: 'Task enqueued',
      taskId: 'id-1',
      type: 'email',
      queue: 'default',
      state: 'waiting',
      duplicate: false,
    })
    expect(app.enqueuer.calls).toEqual([{ type: 'email', payload, options: {} }])
  })

  test('names the queue in Location where it is not the own one of the type', async () => {
    const app = await api()
    const url = '/enqueue/email?queue=slow'
    const reply = await app.inject({ method: 'POST', url, payload })
    expect(reply.headers.location).toBe('/tasks/id-1?queue=slow')
  })

  test('takes runAt, delay and tz from beside the payload', async () => {
    const app = await api()
    const body = { ...payload, runAt: 'tomorrow 8am', tz: 'Europe/Rome' }
    await app.inject({ method: 'POST', url: '/enqueue/email', payload: body })
    const options = { runAt: 'tomorrow 8am', tz: 'Europe/Rome' }
    expect(app.enqueuer.calls).toEqual([{ type: 'email', payload, options }])
  })

  test('leaves a field that the payload declares to the payload', async () => {
    const app = await api()
    const body = { runAt: 'noon', delay: '5m' }
    await app.inject({ method: 'POST', url: '/enqueue/reminder', payload: body })
    expect(app.enqueuer.calls).toEqual([
      { type: 'reminder', payload: { runAt: 'noon' }, options: { delay: '5m' } },
    ])
  })

  test('lets the query win over the body, when to run as a whole', async () => {
    const app = await api()
    const body = { ...payload, runAt: 'tomorrow 8am', tz: 'Europe/Rome' }
    await app.inject({ method: 'POST', url: '/enqueue/email?delay=10m', payload: body })
    expect(app.enqueuer.calls[0]?.options).toEqual({ delay: '10m', tz: 'Europe/Rome' })
  })

  test('reads every option from the query', async () => {
    const app = await api()
    const query =
      'runAt=1893456000000&tz=UTC&queue=slow&priority=high&attempts=3&timeout=30s&expiresIn=1h' +
      '&uniqueKey=k&uniqueFor=5m&taskId=t-1&tags=a,b&tags=c'
    await app.inject({ method: 'POST', url: `/enqueue/email?${query}`, payload })
    expect(app.enqueuer.calls[0]?.options).toEqual({
      runAt: '1893456000000',
      tz: 'UTC',
      queue: 'slow',
      priority: 'high',
      attempts: 3,
      timeout: '30s',
      expiresIn: '1h',
      uniqueKey: 'k',
      uniqueFor: '5m',
      taskId: 't-1',
      tags: ['a', 'b', 'c'],
    })
  })

  test('takes the Idempotency-Key from the header, and rather from the query', async () => {
    const app = await api()
    const headers = { 'idempotency-key': 'from the header' }
    for (const url of ['/enqueue/email', '/enqueue/email?idempotencyKey=q']) {
      await app.inject({ method: 'POST', url, payload, headers })
    }
    const keys = app.enqueuer.calls.map(({ options }) => options?.['idempotencyKey'])
    expect(keys).toEqual(['from the header', 'q'])
  })

  test('enqueues in the trace of the caller', async () => {
    const app = await api()
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    const reply = await app.inject({ method: 'POST', url: '/enqueue/email', payload, headers })
    expect(reply.json().traceId).toBe(traceId)
    const other = await app.inject({ method: 'POST', url: '/enqueue/email', payload })
    expect(other.json()).not.toHaveProperty('traceId')
  })

  test.each([
    ['prio=high', 'prio', /priority/],
    ['priority=urgent', 'priority', /./],
    ['attempts=many', 'attempts', /./],
    ['attempts=3&attempts=4', 'attempts', /more than once/],
    ['delay=soon', 'delay', /duration/],
    ['timeout=0', 'timeout', /at least 1ms/],
    ['taskId=..', 'taskId', /not dots alone/],
  ])('refuses ?%s and says why', async (query, path, message) => {
    const app = await api()
    const reply = await app.inject({ method: 'POST', url: `/enqueue/email?${query}`, payload })
    expect(reply.statusCode).toBe(422)
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(reply.json()).toMatchObject({
      status: 422,
      title: 'Unprocessable Entity',
      code: 'bad_option',
      issues: [{ path, message: expect.stringMatching(message) }],
    })
    expect(app.enqueuer.calls).toEqual([])
  })

  test('names the known types where one is not known', async () => {
    const app = await api()
    const reply = await app.inject({ method: 'POST', url: '/enqueue/fax', payload })
    expect(reply.statusCode).toBe(404)
    expect(reply.json()).toMatchObject({ status: 404, code: 'unknown_type' })
    expect(reply.json().detail).toContain('email,reminder')
  })

  test.each([
    ['store_away', /nothing was written/],
    ['store_unknown', /repeat the request/],
    ['store_full', /nothing was written/],
    ['closed', /gone/],
  ] as const)(
    'answers %s with 503, when to come again and what was written',
    async (code, detail) => {
      const app = await api()
      app.enqueuer.failure = new RedisDistroError(code, 'gone')
      const reply = await app.inject({ method: 'POST', url: '/enqueue/email', payload })
      expect(reply.statusCode).toBe(503)
      expect(reply.headers['retry-after']).toBe('1')
      expect(reply.json().code).toBe(code)
      expect(reply.json().detail).toMatch(detail)
    },
  )

  test('tells nobody what it did not expect', async () => {
    const said: unknown[] = []
    const app = await api(
      {},
      {
        log: { ...silentLog, error: (message: string) => said.push(message) },
      },
    )
    app.enqueuer.failure = new Error('secret of the house')
    const reply = await app.inject({ method: 'POST', url: '/enqueue/email', payload })
    expect(reply.statusCode).toBe(500)
    expect(reply.json()).toMatchObject({ status: 500, code: 'internal' })
    expect(reply.body).not.toContain('secret')
    expect(said).toEqual(['a request failed'])
  })
})

describe('POST /enqueue/:type/batch', () => {
  const url = '/enqueue/email/batch'

  test('takes a JSON array, times beside the fields and options for all', async () => {
    const app = await api()
    const body = [payload, { ...payload, runAt: '5m' }]
    const headers = { 'idempotency-key': 'k' }
    const reply = await app.inject({ method: 'POST', url: `${url}?tags=x`, payload: body, headers })
    expect(reply.statusCode).toBe(202)
    expect(reply.json()).toEqual({ message: '2 tasks enqueued', taskIds: ['id-1', 'id-2'] })
    expect(app.enqueuer.calls).toEqual([
      { type: 'email', payload, options: { tags: ['x'] }, batchKey: 'k' },
      { type: 'email', payload, options: { runAt: '5m', tags: ['x'] }, batchKey: 'k' },
    ])
  })

  test.each(['application/x-ndjson', 'application/ndjson', 'application/jsonl; charset=utf-8'])(
    'takes NDJSON as %s',
    async (type) => {
      const app = await api()
      const headers = { 'content-type': type }
      const text = '{"to":"a"}\r\n\n{"to":"b"}\n'
      const reply = await app.inject({ method: 'POST', url, payload: text, headers })
      expect(reply.json()).toMatchObject({ message: '2 tasks enqueued' })
      expect(app.enqueuer.calls.map((call) => call.payload)).toEqual([{ to: 'a' }, { to: 'b' }])
    },
  )

  test('names the line of NDJSON that is not JSON', async () => {
    const app = await api()
    const headers = { 'content-type': 'application/x-ndjson' }
    const reply = await app.inject({ method: 'POST', url, payload: '{}\n{"to', headers })
    expect(reply.statusCode).toBe(400)
    expect(reply.json().detail).toContain('line 2')
    expect(app.enqueuer.calls).toEqual([])
  })

  test('names the index of each bad one, and writes none', async () => {
    const app = await api()
    const body = [payload, { bad: 1 }, payload, { bad: 2 }]
    const reply = await app.inject({ method: 'POST', url, payload: body })
    expect(reply.statusCode).toBe(422)
    const paths = reply.json().issues.map(({ path }: { path: string }) => path)
    expect(paths).toEqual(['1.to', '3.to'])
    expect(app.enqueuer.calls).toEqual([])
  })

  test.each([
    ['no elements', [], /at least one/],
    ['an object', { to: 'a' }, /array/],
    ['too many', Array.from({ length: 10_001 }, () => 0), /at most 10000/],
  ])('refuses %s', async (_name, body, detail) => {
    const app = await api()
    const reply = await app.inject({ method: 'POST', url, payload: body })
    expect(reply.statusCode).toBe(422)
    expect(reply.json().detail).toMatch(detail)
  })

  test.each([
    ['taskId', /is one id, and a batch has many: send an Idempotency-Key, or .* POST \/enqueue$/],
    ['uniqueKey', /every task of the batch a duplicate of its first: .* POST \/enqueue$/],
    ['uniqueFor', /goes with uniqueKey, which a batch cannot share: .* POST \/enqueue$/],
  ])('refuses %s, which is for one task alone, and says what to use', async (name, words) => {
    for (const path of [url, '/enqueue']) {
      const app = await api()
      const reply = await app.inject({
        method: 'POST',
        url: `${path}?${name}=5`,
        payload: [payload],
      })
      expect(reply.statusCode).toBe(422)
      const message = expect.stringMatching(words)
      expect(reply.json()).toMatchObject({ detail: message, issues: [{ path: name, message }] })
      expect(app.enqueuer.calls).toEqual([])
    }
  })

  test('a stranger in the query is told apart from an option of one task', async () => {
    const app = await api()
    const query = 'taskId=x&prio=high'
    const reply = await app.inject({ method: 'POST', url: `${url}?${query}`, payload: [payload] })
    expect(reply.json().issues).toEqual([
      { path: 'taskId', message: expect.stringMatching(/^is one id/) },
      { path: 'prio', message: expect.stringMatching(/^is no parameter; there are .*priority/) },
    ])
  })
})

describe('POST /enqueue', () => {
  test('takes elements of several types', async () => {
    const app = await api()
    const body = [
      { type: 'email', payload, options: { priority: 'high' } },
      { type: 'reminder', payload: {} },
    ]
    const reply = await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    expect(reply.statusCode).toBe(202)
    expect(reply.json()).toEqual({ message: '2 tasks enqueued', taskIds: ['id-1', 'id-2'] })
    expect(app.enqueuer.calls[0]).toEqual({ type: 'email', payload, options: { priority: 'high' } })
  })

  test('takes runAt, delay and tz from beside the fields of an element too', async () => {
    const app = await api()
    const body = [
      { type: 'email', payload: { ...payload, runAt: 'tomorrow 8am', tz: 'Europe/Rome' } },
      { type: 'reminder', payload: { runAt: 'noon', delay: '5m' } },
      { type: 'email', payload },
    ]
    await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    expect(app.enqueuer.calls).toEqual([
      { type: 'email', payload, options: { runAt: 'tomorrow 8am', tz: 'Europe/Rome' } },
      { type: 'reminder', payload: { runAt: 'noon' }, options: { delay: '5m' } },
      { type: 'email', payload, options: {} },
    ])
  })

  test("lets an element's options win over its payload, and the query over both", async () => {
    const app = await api()
    const timed = { ...payload, runAt: 'tomorrow 8am', tz: 'Europe/Rome' }
    const body = [
      { type: 'email', payload: timed, options: { delay: '5m' } },
      { type: 'email', payload: timed, options: { tz: 'UTC' } },
    ]
    await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    await app.inject({ method: 'POST', url: '/enqueue?delay=1h', payload: body })
    expect(app.enqueuer.calls.map(({ options }) => options)).toEqual([
      { delay: '5m', tz: 'Europe/Rome' },
      { runAt: 'tomorrow 8am', tz: 'UTC' },
      { delay: '1h', tz: 'Europe/Rome' },
      { delay: '1h', tz: 'UTC' },
    ])
    expect(app.enqueuer.calls.map((call) => call.payload)).toEqual([
      payload,
      payload,
      payload,
      payload,
    ])
  })

  test('an element of no known type is left for the enqueuer to name', async () => {
    const app = await api()
    const body = [{ type: 'fax', payload: { runAt: '5m' } }, { payload }]
    const reply = await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    expect(reply.statusCode).toBe(422)
    expect(reply.json().issues.map(({ path }: { path: string }) => path)).toEqual(['1.type'])
  })

  test('names every element that is malformed', async () => {
    const app = await api()
    const body = [{ payload }, { type: 'email', payload, option: {} }, 7]
    const reply = await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    expect(reply.statusCode).toBe(422)
    const paths: string[] = reply.json().issues.map(({ path }: { path: string }) => path)
    expect(paths).toEqual(['0.type', '1', '2'])
    expect(app.enqueuer.calls).toEqual([])
  })

  test('names the malformed, the too large and those with a bad payload at once', async () => {
    const app = await api()
    const large = { to: Array.from({ length: 10_000 }, () => 0) }
    const body = [{ payload }, { type: 'email', payload: large }, { type: 'email', payload: 7 }]
    const reply = await app.inject({ method: 'POST', url: '/enqueue', payload: body })
    expect(reply.statusCode).toBe(422)
    const paths: string[] = reply.json().issues.map(({ path }: { path: string }) => path)
    expect(paths).toEqual(['0.type', '1', '2.to'])
  })
})
