import { describe, expect, test } from 'vitest'
import { RedisDistroError } from '../../src/core/errors.js'
import { api, task } from './stand-in.js'

describe('GET /tasks/:id', () => {
  test('answers with the task', async () => {
    const app = await api()
    app.operator.tasksById.set('t:1.0', task('t:1.0', 'dead'))
    const reply = await app.inject('/tasks/t:1.0?queue=slow')
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual(task('t:1.0', 'dead'))
    expect(app.operator.asked).toEqual([['task', 't:1.0', 'slow']])
  })

  test.each(['none', '%24', 'x'.repeat(129), 'x'.repeat(600)])('knows no %s', async (id) => {
    const app = await api()
    const reply = await app.inject(`/tasks/${id}`)
    expect(reply.statusCode).toBe(404)
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  test('asks the store for no id that could be nobody’s', async () => {
    const app = await api()
    await app.inject('/tasks/a%20b')
    expect(app.operator.asked).toEqual([])
  })

  test('waits as long as it is told, and says where it stops', async () => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'completed'))
    const short = await app.inject('/tasks/t?wait=30s')
    expect(short.headers).not.toHaveProperty('wait-limit')
    const long = await app.inject('/tasks/t?wait=2h')
    expect(long.headers['wait-limit']).toBe('1m')
    expect(app.operator.waits.map(({ ms }) => ms)).toEqual([30_000, 60_000])
  })

  test.each(['wait=soon', 'wait=', 'wiat=1s', 'wait=1s&wait=2s'])('refuses ?%s', async (query) => {
    const app = await api()
    const reply = await app.inject(`/tasks/t?${query}`)
    expect(reply.statusCode).toBe(422)
    expect(reply.json().code).toBe('bad_option')
  })
})

describe('GET /tasks', () => {
  test('hands the filter on and gives items and cursor', async () => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'dead'))
    const query = 'state=dead&type=email&queue=default&tag=x&cursor=c&limit=7'
    const reply = await app.inject(`/tasks?${query}`)
    expect(reply.json()).toEqual({ items: [task('t', 'dead')], cursor: 'next' })
    expect(app.operator.asked).toEqual([
      [
        'tasks',
        { state: 'dead', type: 'email', queue: 'default', tag: 'x', cursor: 'c', limit: 7 },
      ],
    ])
  })

  test.each(['state=done', 'limit=0', 'limit=1001', 'limit=x', 'page=2', 'type='])(
    'refuses ?%s',
    async (query) => {
      const app = await api()
      const reply = await app.inject(`/tasks?${query}`)
      expect(reply.statusCode).toBe(422)
      expect(reply.json().issues).toMatchObject([{ path: query.split('=')[0] }])
      expect(app.operator.asked).toEqual([])
    },
  )
})

describe('a move', () => {
  test.each([
    ['POST', '/tasks/t/cancel', 'waiting', 200, 'cancelled'],
    ['POST', '/tasks/t/cancel', 'active', 202, 'cancelled'],
    ['POST', '/tasks/t/requeue', 'dead', 200, 'waiting'],
    ['POST', '/tasks/t/promote', 'retryable', 200, 'waiting'],
  ] as const)('%s %s of one that is %s is %i', async (method, url, from, status, to) => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', from))
    const reply = await app.inject({ method, url })
    expect(reply.statusCode).toBe(status)
    expect(reply.json()).toEqual(task('t', to))
  })

  test('DELETE erases', async () => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'completed'))
    const reply = await app.inject({ method: 'DELETE', url: '/tasks/t' })
    expect(reply.statusCode).toBe(204)
    expect(reply.body).toBe('')
  })

  test.each([
    ['POST', '/tasks/t/cancel', 'completed'],
    ['POST', '/tasks/t/requeue', 'active'],
    ['POST', '/tasks/t/promote', 'waiting'],
    ['DELETE', '/tasks/t', 'waiting'],
  ] as const)('%s %s of one that is %s is 409 and names the state', async (method, url, state) => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', state))
    const reply = await app.inject({ method, url })
    expect(reply.statusCode).toBe(409)
    expect(reply.json()).toMatchObject({ status: 409, code: 'wrong_state', state })
    expect(reply.json().detail).toContain(state)
  })

  test('that is refused is told of every state that would do', async () => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'active'))
    const detail = async (move: string) =>
      (await app.inject({ method: 'POST', url: `/tasks/t/${move}` })).json().detail
    expect(await detail('requeue')).toBe(
      "task 't' is active; only one that is dead or cancelled can be requeued",
    )
  })

  test('a requeue while another task holds the unique key is 409 and names it', async () => {
    const app = await api()
    app.operator.tasksById.set('t', task('t', 'dead'))
    app.operator.holders.set('t', 'other')
    const reply = await app.inject({ method: 'POST', url: '/tasks/t/requeue' })
    expect(reply.json()).toMatchObject({ status: 409, code: 'unique_held', state: 'dead' })
    expect(reply.json().detail).toContain("'other'")
  })

  test.each([
    ['POST', '/tasks/none/cancel'],
    ['DELETE', '/tasks/none'],
  ] as const)('%s %s is 404', async (method, url) => {
    const app = await api()
    const reply = await app.inject({ method, url })
    expect(reply.json()).toMatchObject({ status: 404, code: 'unknown_task' })
  })

  test('is 503 while the store is away', async () => {
    const app = await api()
    app.operator.failure = new RedisDistroError('store_away', 'gone')
    const reply = await app.inject({ method: 'POST', url: '/tasks/t/cancel' })
    expect(reply.statusCode).toBe(503)
    expect(reply.headers['retry-after']).toBe('1')
    expect(reply.json().detail).toBe('gone; nothing was written; repeat the request')
  })
})

describe('a look while the store is away', () => {
  test.each([
    ['store_away', 'redis is away; repeat the request'],
    ['store_unknown', 'Redis did not answer; repeat the request'],
  ] as const)('after %s is 503 and speaks of no writing', async (code, detail) => {
    const app = await api()
    app.operator.failure = new RedisDistroError(code, 'redis is away')
    for (const url of ['/tasks/t', '/tasks', '/queues', '/stats']) {
      const reply = await app.inject(url)
      expect(reply.statusCode).toBe(503)
      expect(reply.headers['retry-after']).toBe('1')
      expect(reply.json()).toMatchObject({ code: 'store_away', detail })
    }
  })
})
