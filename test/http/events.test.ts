import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { listenTo, rawConnection } from './events-reader.js'
import { anything, startRealApi } from './real-api.js'
import { api as standIn } from './stand-in.js'

let api: Awaited<ReturnType<typeof startRealApi>>

beforeAll(async () => {
  api = await startRealApi({ tasks: [anything], http: { maxListeners: 3 } })
})
afterAll(() => api.stop())

const enqueue = async (n = 1) => (await api.client.enqueue('any', { n })).id

test('events come as they happen, each with its name, its id and what is known', async () => {
  const reader = await listenTo(`${api.url}/events`)
  expect(reader.headers.get('content-type')).toBe('text/event-stream')
  expect(reader.headers.get('cache-control')).toBe('no-store')
  const id = await enqueue()
  await api.operator.cancel(id)
  const [first, second] = await reader.take(2)
  expect(first).toEqual({
    event: 'enqueue',
    id: expect.stringMatching(/^[\w.~-]+$/),
    data: {
      id,
      type: 'any',
      queue: 'default',
      transition: 'enqueue',
      state: 'waiting',
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  })
  expect(second).toMatchObject({ event: 'cancel', data: { id, state: 'cancelled' } })
})

test('a browser that comes again goes on where it was, by header or parameter', async () => {
  const reader = await listenTo(`${api.url}/events`)
  const first = await enqueue()
  const [seen] = await reader.take(1)
  reader.leave()
  const missed = await enqueue()
  const header = { 'last-event-id': seen?.id ?? '' }
  const again = await listenTo(`${api.url}/events?lastEventId=stale`, header)
  const other = await listenTo(`${api.url}/events?lastEventId=${seen?.id}`)
  const later = await enqueue()
  for (const each of [again, other]) {
    const ids = (await each.take(2)).map(({ data }) => data['id'])
    expect(ids).toEqual([missed, later])
    expect(ids).not.toContain(first)
  }
})

test('who heard nothing yet can come again too: the id comes with the first line', async () => {
  const reader = await listenTo(`${api.url}/events`)
  const id = await reader.firstId()
  reader.leave()
  const missed = await enqueue()
  const again = await listenTo(`${api.url}/events`, { 'last-event-id': id })
  expect((await again.take(1))[0]?.data).toMatchObject({ id: missed })
})

test('a listener too many is 503, and a place is free when one has left', async () => {
  const readers = [1, 2, 3].map(() => listenTo(`${api.url}/events`))
  const [first] = await Promise.all(readers)
  const refused = await fetch(`${api.url}/events`)
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ code: 'too_many_listeners' })
  first?.leave()
  await vi.waitFor(async () => {
    const reader = await listenTo(`${api.url}/events`)
    expect(reader.status).toBe(200)
  })
})

test.each([
  ['?queue=', 422, 'bad_option'],
  ['?state=dead', 422, 'bad_option'],
  ['?queue=nowhere', 404, 'unknown_queue'],
  ['?lastEventId=nonsense', 422, 'bad_option'],
])('%s is %i %s', async (query, status, code) => {
  const reply = await fetch(`${api.url}/events${query}`)
  expect(reply.status).toBe(status)
  expect(await reply.json()).toMatchObject({ code })
})

test('reading wants a token where there are some', async () => {
  const app = await standIn({ tokens: { api: [], enqueue: ['e'], read: ['r'] } })
  const get = (token: string) =>
    app.inject({ url: '/events?state=x', headers: { authorization: `Bearer ${token}` } })
  expect((await app.inject('/events')).statusCode).toBe(401)
  expect((await get('e')).statusCode).toBe(403)
  expect((await get('r')).statusCode).toBe(422)
})

test('a listener who reads nothing is cut off, and the server holds no more for it', async () => {
  const own = await startRealApi({ tasks: [anything], http: { maxListeners: 1 } })
  onTestFinished(() => own.stop())
  const idle = await rawConnection(own.port, '/events')
  onTestFinished(() => void idle.destroy())
  const payloads = Array.from({ length: 1000 }, (_, n) => ({ n }))
  const isFree = async () => {
    const reader = await listenTo(`${own.url}/events`)
    reader.leave()
    return reader.status === 200
  }
  expect(await isFree()).toBe(false)
  let sent = 0
  for (; sent < 200_000 && !(await isFree()); sent += 4000) {
    for (let i = 0; i < 4; i++) await own.client.enqueueMany('any', payloads)
  }
  expect(sent).toBeGreaterThan(20_000)
  expect(sent).toBeLessThan(200_000)
})

test('a server that stops ends its listeners at once', async () => {
  const own = await startRealApi({ tasks: [anything] })
  const reader = await listenTo(`${own.url}/events`)
  await reader.firstId()
  await own.stop()
  expect(await reader.end()).toBe('ended')
})
