import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AdminServer } from '../../src/http/admin.js'
import { HttpServer } from '../../src/http/server.js'
import { until } from '../support/until.js'
import { createParts, httpOptions, task } from './stand-in.js'

async function serve(options: Partial<typeof httpOptions> = {}) {
  const parts = createParts()
  const server = new HttpServer({ ...httpOptions, ...options }, parts)
  onTestFinished(() => server.stop())
  const { host, port } = await server.start()
  return { server, parts, port, url: `http://${host}:${port}` }
}

/** A raw exchange: what is sent, and all that comes back until the server hangs up. */
function exchange(port: number, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(sent))
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
}

describe('a server', () => {
  test('says where it listens, and serves there', async () => {
    const { url, port } = await serve()
    expect(port).toBeGreaterThan(0)
    const reply = await fetch(`${url}/health`)
    expect(await reply.json()).toEqual({ status: 'ok' })
  })

  test('names the address that it cannot listen on', async () => {
    const { port } = await serve()
    const second = new HttpServer({ ...httpOptions, port }, createParts())
    await expect(second.start()).rejects.toMatchObject({
      code: 'bad_config',
      message: `http: cannot listen on 127.0.0.1 port ${port}: the port is taken`,
    })
  })

  test('refuses a foreign Host and lets its own in', async () => {
    const { port } = await serve()
    const ask = (host: string) =>
      exchange(port, `GET /queues HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(await ask('evil.example')).toMatch(/^HTTP\/1.1 403 /)
    expect(await ask(`localhost:${port}`)).toMatch(/^HTTP\/1.1 200 /)
  })

  test('answers what is no HTTP with a problem', async () => {
    const { port } = await serve()
    const answer = await exchange(port, 'HELLO\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('application/problem+json')
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'bad_request' })
  })

  test('ends a wait when its caller goes', async () => {
    const { url, parts } = await serve()
    parts.operator.tasksById.set('t', task('t', 'waiting'))
    const caller = new AbortController()
    const call = fetch(`${url}/tasks/t?wait=60s`, { signal: caller.signal }).catch(() => 'gone')
    const wait = await until(() => parts.operator.waits[0])
    expect(wait.signal.aborted).toBe(false)
    caller.abort()
    expect(await call).toBe('gone')
    await until(() => wait.signal.aborted)
  })
})

describe('stop', () => {
  test('ends waits with the state then reached, and takes no more', async () => {
    const { server, url, parts } = await serve()
    parts.operator.tasksById.set('t', task('t', 'waiting'))
    const call = fetch(`${url}/tasks/t?wait=60s`)
    await until(() => parts.operator.waits.length > 0)
    await server.stop()
    const reply = await call
    expect(reply.status).toBe(200)
    expect(reply.headers.get('connection')).toBe('close')
    expect(await reply.json()).toMatchObject({ id: 't', state: 'waiting' })
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })

  test('lets a request in flight end, and cuts it past the grace', async () => {
    for (const { stopGrace, ends } of [
      { stopGrace: 10_000, ends: true },
      { stopGrace: 30, ends: false },
    ]) {
      const { server, url, parts } = await serve({ stopGrace })
      let release: () => void = () => undefined
      const asked = new Promise<void>((resolve) => {
        parts.operator.workers = () => {
          resolve()
          return new Promise((answer) => {
            release = () => answer([])
          })
        }
      })
      const call = fetch(`${url}/workers`).then(
        (reply) => reply.status,
        () => 'cut',
      )
      await asked
      const stopped = server.stop()
      if (ends) release()
      await stopped
      expect(await call).toBe(ends ? 200 : 'cut')
    }
  })

  test('hangs up on connections that sent nothing, and after the answer in flight', async () => {
    const { server, port, parts } = await serve({ stopGrace: 60_000 })
    let release: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      parts.operator.workers = () => {
        resolve()
        return new Promise((answer) => {
          release = () => answer([])
        })
      }
    })
    const silent = exchange(port, '')
    const busy = exchange(port, 'GET /workers HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await asked
    const stopped = server.stop()
    expect(await silent).toBe('')
    release()
    await stopped
    expect(await busy).toMatch(/^HTTP\/1.1 200 .*connection: close/is)
  })

  test('before start is no harm, and twice neither', async () => {
    const server = new HttpServer(httpOptions, createParts())
    await server.stop()
    const { server: other } = await serve()
    await other.stop()
    await other.stop()
  })
})

test('the second port serves probes and scrapers alone, without token and from any name', async () => {
  const parts = createParts()
  const admin = new AdminServer({ host: '127.0.0.1', port: 0 }, parts)
  onTestFinished(() => admin.stop())
  const { port } = await admin.start()
  const agent = new Agent()
  onTestFinished(() => agent.destroy())
  const statusOf = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path, agent, headers: { host: 'pod.internal' } }
      const call = request(options, async (reply: IncomingMessage) => {
        await text(reply)
        resolve(reply.statusCode)
      })
      call.on('error', reject).end()
    })
  for (const path of ['/health', '/ready', '/metrics']) expect(await statusOf(path)).toBe(200)
  for (const path of ['/tasks', '/stats', '/queues']) expect(await statusOf(path)).toBe(404)
})
