import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createKernel, type Started, type Task } from 'redisdistro'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { keepingLog } from '../kernel/stage.js'
import { startRedis, type TestRedis } from '../support/redis.js'

const directory = fileURLToPath(new URL('../../examples/webhook', import.meta.url))

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

interface Received {
  readonly at: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
}

/** A receiver that gives these answers in turn, the last one again and again. */
async function receiver(...answers: Answer[]) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const { status, headers } = answers[received.length] ?? answers.at(-1) ?? { status: 200 }
    received.push({ at: performance.now(), headers: request.headers, body: JSON.parse(text) })
    response.writeHead(status, { ...headers, connection: 'close' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { origin: `http://127.0.0.1:${address.port}`, received }
}

/** The example as it lies there, run with its own config file, for a receiver at `origin`. */
async function runExample(origin: string): Promise<Started & { readonly url: string }> {
  vi.stubEnv('WEBHOOK_ORIGINS', origin)
  vi.stubEnv('REDIS_URL', redis.url)
  onTestFinished(() => void vi.unstubAllEnvs())
  const env = { REDIS_URL: redis.url, PORT: '0' }
  const kernel = await createKernel(undefined, { directory, env, log: keepingLog() })
  onTestFinished(() => kernel.stop())
  const { url, ...started } = await kernel.start()
  if (url === undefined) throw new Error('the API does not listen')
  return { ...started, url }
}

const post = (url: string, payload: unknown) =>
  fetch(`${url}/enqueue/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(payload),
  })

async function ended(url: string, location: string | null): Promise<Task> {
  const response = await fetch(`${url}${location}?wait=15s`)
  return (await response.json()) as Task
}

test('a webhook is delivered once, with the id of its task', async () => {
  const { origin, received } = await receiver({ status: 204 })
  const { url } = await runExample(origin)
  const answer = await post(url, { url: `${origin}/hook`, event: 'order.paid', body: { order: 1 } })
  const task = await ended(url, answer.headers.get('location'))
  expect(task).toMatchObject({ state: 'completed', queue: 'webhooks', result: { status: 204 } })
  expect(received.map(({ body }) => body)).toEqual([{ event: 'order.paid', body: { order: 1 } }])
  expect(received[0]?.headers['idempotency-key']).toBe(task.id)
})

test('a receiver that fails once is called again', async () => {
  const { origin, received } = await receiver({ status: 500 }, { status: 200 })
  const { url } = await runExample(origin)
  const answer = await post(url, { url: `${origin}/hook`, event: 'order.paid' })
  const task = await ended(url, answer.headers.get('location'))
  expect(task.state).toBe('completed')
  expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'complete'])
  expect(task.attempts[0]?.error?.message).toBe('the receiver answered 500')
  expect(received).toHaveLength(2)
})

test('a receiver that is busy is called again no sooner than it asks', async () => {
  const busy = { status: 429, headers: { 'retry-after': '2' } }
  const { origin, received } = await receiver(busy, { status: 200 })
  const { url } = await runExample(origin)
  const answer = await post(url, { url: `${origin}/hook`, event: 'order.paid' })
  const task = await ended(url, answer.headers.get('location'))
  expect(task.state).toBe('completed')
  const [first, second] = received.map(({ at }) => at)
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1900)
})

test('a webhook that nobody wants is a dead letter under its own key', async () => {
  const { origin, received } = await receiver({ status: 404 })
  const { url } = await runExample(origin)
  const answer = await post(url, { url: `${origin}/gone`, event: 'order.paid' })
  const task = await ended(url, answer.headers.get('location'))
  expect(task).toMatchObject({ state: 'dead', deadLetter: 'dead:webhook', attempt: 1 })
  expect(task.attempts[0]?.error).toMatchObject({ code: 'fatal' })
  expect(received).toHaveLength(1)
  const page = await fetch(`${url}/dead-letters/dead:webhook`)
  const { items } = (await page.json()) as { items: Task[] }
  expect(items.map(({ id }) => id)).toEqual([task.id])
})

test('an origin that the config does not allow is refused at the door', async () => {
  const { origin, received } = await receiver({ status: 200 })
  const { url } = await runExample(origin)
  const answer = await post(url, { url: 'http://169.254.169.254/latest', event: 'order.paid' })
  expect(answer.status).toBe(422)
  expect(await answer.json()).toMatchObject({ code: 'bad_payload', issues: [{ path: 'url' }] })
  expect(received).toEqual([])
})
