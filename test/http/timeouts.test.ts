import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type HttpOptions, HttpServer } from '../../src/http/server.js'
import { until } from '../support/until.js'
import { exchange, readAnswer } from './raw.js'
import { createParts, httpOptions, task } from './stand-in.js'

async function serve(options: Partial<HttpOptions>) {
  const parts = createParts()
  const server = new HttpServer({ ...httpOptions, ...options }, parts)
  const { port } = await server.start()
  onTestFinished(() => server.stop())
  return { ...parts, port }
}

/** A connection that says this much and then nothing, and reads nothing until it is told to. */
async function open(port: number, sent: string, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host).pause()
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(sent)
  return socket
}

const head = 'POST /enqueue/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`

describe('a request that does not come within the timeout', () => {
  test.each([
    ['its head', head],
    ['its body', `${head}Content-Length: 100\r\n\r\n{`],
    ['the rest of a body in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
  ])('is 408: %s', async (_, bytes) => {
    const { port } = await serve({ requestTimeout: 200 })
    const answer = readAnswer(await exchange(port, bytes))
    expect(answer.status).toBe(408)
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 408,
      detail: 'not received within 200ms (http.requestTimeout)',
    })
  })

  test('holds no connection where it was refused before it was received', async () => {
    const tokens = { api: ['the-api-token'], enqueue: [], read: [] }
    const { port } = await serve({ requestTimeout: 200, tokens })
    const answer = await exchange(port, `${head}Content-Length: 100\r\n\r\n{`)
    expect(readAnswer(answer).status).toBe(401)
  })
})

describe('a connection', () => {
  test('without a request is closed', async () => {
    const { port } = await serve({ keepAliveTimeout: 2000 })
    const answer = readAnswer(await exchange(port, `${ask('/health')}\r\n`))
    expect(answer.headers).toMatchObject({ connection: 'keep-alive', 'keep-alive': 'timeout=2' })
  })

  test('past the limit is closed at once, and taken again when there is room', async () => {
    const { port } = await serve({ maxConnections: 2 })
    const first = await open(port, '')
    await open(port, '')
    expect(await exchange(port, ask('/health'))).toBe('')
    first.destroy()
    const closing = `${ask('/health')}Connection: close\r\n\r\n`
    const answer = await until(() => exchange(port, closing))
    expect(readAnswer(answer).status).toBe(200)
  })
})

describe('a long answer that nobody takes', () => {
  /** A page that no socket takes at once. */
  const long = 32 * 1024 * 1024

  /** Whether the server holds the connection still, by whether it has room for another. */
  async function hasRoom(port: number): Promise<boolean> {
    return (await exchange(port, `${ask('/health')}Connection: close\r\n\r\n`)) !== ''
  }

  test('is given up', async () => {
    // So long that the end of all patience is not what ends it within this test.
    const { port, operator } = await serve({ maxConnections: 1, stallTimeout: 1500 })
    operator.tasksById.set('t', { ...task('t', 'completed'), result: 'x'.repeat(long) })
    const reader = await open(port, `${ask('/tasks')}\r\n`)
    await until(() => operator.asked.length > 0)
    await until(() => hasRoom(port))
    let received = 0
    reader.on('data', (part: Buffer) => {
      received += part.length
    })
    reader.resume()
    await new Promise((resolve) => reader.once('close', resolve))
    expect(received).toBeLessThan(long)
  })

  test('is given up at last where it is taken by drops', async () => {
    const { port, operator } = await serve({ maxConnections: 1, stallTimeout: 400 })
    operator.tasksById.set('t', { ...task('t', 'completed'), result: 'x'.repeat(long) })
    const reader = await open(port, `${ask('/tasks')}\r\n`)
    const drops = setInterval(() => reader.read(), 10)
    onTestFinished(() => clearInterval(drops))
    await until(() => operator.asked.length > 0)
    await until(() => hasRoom(port))
  })

  test('goes to whoever takes it, and the connection serves on', async () => {
    const { port, operator } = await serve({ stallTimeout: 5000 })
    operator.tasksById.set('t', { ...task('t', 'completed'), result: 'x'.repeat(long) })
    const both = `${ask('/tasks')}\r\n${ask('/health')}Connection: close\r\n\r\n`
    const whole = await exchange(port, both)
    expect(whole.length).toBeGreaterThan(long)
    expect(whole).toMatch(/\{"status":"ok"\}$/)
  })
})

test('localhost is both of its addresses, and words meet what is no request at each', async () => {
  const { port } = await serve({ host: 'localhost' })
  const interfaces = Object.values(networkInterfaces()).flat()
  const own = interfaces.map((one) => one?.address)
  for (const host of ['127.0.0.1', '::1'].filter((address) => own.includes(address))) {
    const socket = await open(port, 'HELLO\r\n\r\n', host)
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(readAnswer(answer)).toMatchObject({ status: 400 })
    expect(answer).toContain('"code":"bad_request"')
  }
})
