import { describe, expect, test } from 'vitest'
import { api } from './stand-in.js'

describe('queues', () => {
  test('are listed, shown, paused and resumed', async () => {
    const app = await api()
    const list = (await app.inject('/queues')).json()
    expect(list).toMatchObject({ items: [{ name: 'default' }], cursor: null })
    expect((await app.inject('/queues/default')).json()).toMatchObject({ paused: false })
    const paused = await app.inject({ method: 'POST', url: '/queues/default/pause' })
    expect(paused.json()).toMatchObject({ name: 'default', paused: true })
    const resumed = await app.inject({ method: 'POST', url: '/queues/default/resume' })
    expect(resumed.json()).toMatchObject({ name: 'default', paused: false })
  })

  test('have limits that are changed in part', async () => {
    const app = await api()
    const put = (payload: object) =>
      app.inject({ method: 'PUT', url: '/queues/default/limits', payload })
    expect((await put({ rate: '14 / s', maxActive: null })).json()).toMatchObject({
      name: 'default',
    })
    await put({ maxActive: 3 })
    expect(app.operator.asked).toEqual([
      ['limit', 'default', { rate: '14/s', maxActive: null }],
      ['limit', 'default', { maxActive: 3 }],
    ])
    const refused = await put({ rate: 'fast', maxActive: 0, burst: 3 })
    expect(refused.json()).toMatchObject({ status: 422, code: 'bad_option' })
    expect(refused.json().issues.map(({ path }: { path: string }) => path)).toEqual([
      'rate',
      'maxActive',
      'burst',
    ])
    expect((await app.inject({ method: 'PUT', url: '/queues/default/limits' })).statusCode).toBe(
      400,
    )
  })

  test('that are not known are 404', async () => {
    const app = await api()
    const reply = await app.inject({ method: 'POST', url: '/queues/none/pause' })
    expect(reply.json()).toMatchObject({ status: 404, code: 'unknown_queue' })
  })
})

describe('dead letters', () => {
  test('are counted and browsed by filter', async () => {
    const app = await api()
    const list = (await app.inject('/dead-letters')).json()
    expect(list).toEqual({ items: [{ key: 'dead', count: 2 }], cursor: null })
    const page = await app.inject('/dead-letters/my%2Fdead?type=email&error=boom&limit=5')
    expect(page.json()).toEqual({ items: [], cursor: null })
    const filter = { type: 'email', error: 'boom', limit: 5 }
    expect(app.operator.asked).toEqual([['deadLetter', 'my/dead', filter]])
  })

  test('are requeued and purged by a filter in the query or the body', async () => {
    const app = await api()
    const all = await app.inject({ method: 'POST', url: '/dead-letters/dead/requeue' })
    expect(all.json()).toEqual({ requeued: 2, skipped: 1 })
    const some = { method: 'POST', url: '/dead-letters/dead/requeue?type=b' } as const
    await app.inject({ ...some, payload: { type: 'a', queue: 'q' } })
    const purge = await app.inject({ method: 'DELETE', url: '/dead-letters/dead?error=boom' })
    expect(purge.json()).toEqual({ purged: 3 })
    expect(app.operator.asked).toEqual([
      ['requeueDead', 'dead', {}],
      ['requeueDead', 'dead', { type: 'b', queue: 'q' }],
      ['purgeDead', 'dead', { error: 'boom' }],
    ])
  })

  test('are chosen by age, in any duration', async () => {
    const app = await api()
    await app.inject('/dead-letters/dead?olderThan=1h&newerThan=2d')
    await app.inject({ method: 'DELETE', url: '/dead-letters/dead?olderThan=90m' })
    const ages = { olderThan: 3_600_000, newerThan: 172_800_000 }
    expect(app.operator.asked).toEqual([
      ['deadLetter', 'dead', ages],
      ['purgeDead', 'dead', { olderThan: 5_400_000 }],
    ])
    const bad = await app.inject('/dead-letters/dead?olderThan=long')
    expect(bad.json()).toMatchObject({ status: 422, issues: [{ path: 'olderThan' }] })
  })

  test('are purged with a dry run first, which touches nothing', async () => {
    const app = await api()
    const url = '/dead-letters/dead?dryRun=true&type=email'
    const reply = await app.inject({ method: 'DELETE', url })
    expect(reply.json()).toEqual({ wouldPurge: 3, oldest: null, newest: null, sample: ['a'] })
    expect(app.operator.asked).toEqual([['previewPurge', 'dead', { type: 'email' }]])
    const typo = await app.inject({ method: 'DELETE', url: '/dead-letters/dead?dryRun=yes' })
    expect(typo.json()).toMatchObject({ status: 422, issues: [{ path: 'dryRun' }] })
    await app.inject({ method: 'DELETE', url: '/dead-letters/dead?dryRun=false' })
    expect(app.operator.asked.at(-1)).toEqual(['purgeDead', 'dead', {}])
  })

  test('are requeued at a rate by a job, which is shown and stopped', async () => {
    const app = await api()
    const url = '/dead-letters/dead/requeue?rate=50/s&error=boom'
    const reply = await app.inject({ method: 'POST', url })
    expect(reply.statusCode).toBe(202)
    expect(reply.headers['location']).toBe('/jobs/job-1')
    expect(reply.json()).toMatchObject({ id: 'job-1', kind: 'requeue', state: 'running' })
    expect(app.operator.asked).toEqual([['startRequeue', 'dead', { error: 'boom' }, '50/s']])
    expect((await app.inject('/jobs')).json()).toMatchObject({ items: [{ id: 'job-1' }] })
    expect((await app.inject('/jobs/job-1')).json()).toMatchObject({ rate: '50/s' })
    const stop = await app.inject({ method: 'POST', url: '/jobs/job-1/stop' })
    expect(stop.statusCode).toBe(202)
    for (const [method, path] of [
      ['GET', '/jobs/none'],
      ['POST', '/jobs/none/stop'],
    ] as const) {
      const none = await app.inject({ method, url: path })
      expect(none.json()).toMatchObject({ status: 404, code: 'unknown_job' })
    }
  })

  test.each([
    ['?typ=email', undefined],
    ['?type=', undefined],
    ['', { typ: 'email' }],
    ['', { type: 7 }],
    ['', ['email']],
    ['', '"email"'],
    ['', 'null'],
  ])('are not purged by a filter that is misspelt: %s %o', async (query, payload) => {
    const app = await api()
    const headers = { 'content-type': 'application/json' }
    const request = { method: 'DELETE', url: `/dead-letters/dead${query}` } as const
    const reply = await app.inject(
      payload === undefined ? request : { ...request, payload, headers },
    )
    expect(reply.statusCode).toBe(422)
    expect(app.operator.asked).toEqual([])
  })
})

test('workers and stats are told', async () => {
  const app = await api()
  expect((await app.inject('/workers')).json()).toEqual({ items: [], cursor: null })
  expect((await app.inject('/stats')).json()).toMatchObject({ workers: 2, total: { enqueued: 9 } })
})

test('an unknown route is a problem, whatever its body', async () => {
  const app = await api()
  for (const [method, url] of [
    ['GET', '/nowhere'],
    ['PUT', '/queues'],
    ['POST', '/'],
  ] as const) {
    const headers = { 'content-type': 'text/plain' }
    const request = { method, url, headers }
    const reply = await app.inject(method === 'GET' ? request : { ...request, payload: 'x' })
    expect(reply.json()).toMatchObject({ status: 404, code: 'unknown_route' })
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  }
})

test('a malformed address is a problem', async () => {
  const app = await api()
  const reply = await app.inject('/tasks/%zz')
  expect(reply.statusCode).toBe(400)
  expect(reply.json()).toMatchObject({ status: 400, code: 'bad_request' })
})

test('HEAD answers as GET, without a body', async () => {
  const app = await api()
  const reply = await app.inject({ method: 'HEAD', url: '/queues' })
  expect(reply.statusCode).toBe(200)
  expect(reply.body).toBe('')
})

test('requests over the rate are 429 with when to come again, probes are not counted', async () => {
  const app = await api({ rateLimit: { max: 2, window: 60_000, callers: 100 } })
  for (let i = 0; i < 5; i++) expect((await app.inject('/health')).statusCode).toBe(200)
  expect((await app.inject('/queues')).statusCode).toBe(200)
  expect((await app.inject('/nowhere')).statusCode).toBe(404)
  const reply = await app.inject('/queues')
  expect(reply.statusCode).toBe(429)
  expect(reply.json()).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
})

test('guessing tokens is counted by the rate limit too', async () => {
  const tokens = { api: ['the-right-one'], enqueue: [], read: [] }
  const app = await api({ tokens, rateLimit: { max: 2, window: 60_000, callers: 100 } })
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await app.inject('/queues')).statusCode)
  expect(statuses).toEqual([401, 401, 429])
})
