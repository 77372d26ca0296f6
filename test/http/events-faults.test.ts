import { once } from 'node:events'
import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { startRedis, type TestRedis, until } from '../support/redis.js'
import { listenTo, rawConnection } from './events-reader.js'
import { anything, startRealApi } from './real-api.js'

vi.setConfig({ testTimeout: 60_000 })

let server: TestRedis
let redis: Redis

beforeEach(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  return async () => {
    redis.disconnect()
    await server.stop()
  }
})

const user = (...rules: string[]) => redis.call('ACL', 'SETUSER', 'app', ...rules)

/** An API whose Redis user may do all but what the rules take. */
async function startApi(maxListeners = 100) {
  await user('on', '>secret', '~*', '+@all')
  const redisUrl = server.url.replace('//', '//app:secret@')
  const api = await startRealApi({ redisUrl, tasks: [anything], http: { maxListeners } })
  onTestFinished(() => api.stop())
  return api
}

const following = async () =>
  String(await redis.client('LIST'))
    .split('\n')
    .filter((line) => line.includes('name=redisdistro-events')).length

test.each(['xrevrange', 'set'])('without the right to %s the answer is a problem', async (name) => {
  const api = await startApi()
  await user(`-${name}`)
  const reply = await fetch(`${api.url}/events`)
  expect(reply.status).toBe(503)
  expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const problem = await reply.text()
  expect(JSON.parse(problem)).toMatchObject({ status: 503, code: 'no_rights' })
  expect(problem).toMatch(new RegExp(`the command '${name}'|a command of a script`))
  expect(problem).not.toContain('127.0.0.1')
})

test('without the right to xread the events end with an error that names it', async () => {
  const api = await startApi()
  await user('-xread')
  const reader = await listenTo(`${api.url}/events`)
  const [error] = await reader.take(1)
  expect(error).toMatchObject({
    event: 'error',
    data: { status: 503, code: 'no_rights', detail: expect.stringContaining("'xread'") },
  })
  expect(await reader.end()).toBe('ended')
  await until(async () => (await following()) === 0)
})

test('without the right to xrange who comes again is told, and goes on when it is given', async () => {
  const api = await startApi()
  const reader = await listenTo(`${api.url}/events`)
  const id = await reader.firstId()
  reader.leave()
  await user('-xrange')
  const refused = await listenTo(`${api.url}/events?lastEventId=${id}`)
  const [error] = await refused.take(1)
  expect(error?.data['detail']).toContain("'xrange'")
  expect(await refused.end()).toBe('ended')
  await user('+xrange')
  const again = await listenTo(`${api.url}/events?lastEventId=${id}`)
  const task = await api.client.enqueue('any', {})
  expect((await again.take(1))[0]?.data).toMatchObject({ id: task.id })
})

test('a right that is taken from those who listen ends them with the reason', async () => {
  const api = await startApi()
  const reader = await listenTo(`${api.url}/events`)
  await reader.firstId()
  await until(async () => (await following()) === 1)
  await user('-xread')
  await api.client.enqueue('any', {}).catch(() => undefined)
  await until(async () => {
    const events = await reader.take(1)
    return events[0]?.event === 'error'
  })
  expect(await reader.end()).toBe('ended')
})

test('many that come and go leave no listener, timer, socket or connection', async () => {
  const api = await startApi(50)
  const come = async () => {
    const socket = await rawConnection(api.port, '/events')
    socket.resume()
    await once(socket, 'data')
    socket.destroy()
    await once(socket, 'close')
  }
  await come()
  await until(async () => (await following()) === 0)
  const kinds = () => {
    const all = process.getActiveResourcesInfo()
    const count = (name: string) => all.filter((one) => one === name).length
    return { timers: count('Timeout'), sockets: count('TCPSocketWrap') }
  }
  const before = kinds()
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 20 }, come))
  await until(async () => (await following()) === 0, { timeout: 1000 })
  await until(() => kinds().sockets <= before.sockets && kinds().timers <= before.timers)
  const all = Array.from({ length: 50 }, () => listenTo(`${api.url}/events`))
  for (const { status } of await Promise.all(all)) expect(status).toBe(200)
})

test('answers that wait behind another of their connection go with it', async () => {
  const api = await startApi(50)
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const socket = connect(api.port, '127.0.0.1')
  const request = `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\n\r\n`
  socket.write(request.repeat(50))
  await once(socket, 'data')
  const status = async () => {
    const reader = await listenTo(`${api.url}/events`)
    reader.leave()
    return reader.status
  }
  await until(async () => (await status()) === 503)
  socket.destroy()
  await until(async () => (await status()) === 200)
  const all = Array.from({ length: 49 }, () => listenTo(`${api.url}/events`))
  for (const one of await Promise.all(all)) expect(one.status).toBe(200)
  expect(warnings.map(({ message }) => message)).toEqual([])
})
