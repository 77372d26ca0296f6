import { expect, test } from 'vitest'
import { parseConfig } from '../../src/kernel/read-config.js'
import { api } from './stand-in.js'

const window = 60_000
const tokens = { api: ['token-one', 'token-two'], enqueue: [], read: [] }

type Api = Awaited<ReturnType<typeof api>>

async function statusesOf(app: Api, asks: readonly Record<string, string>[]): Promise<number[]> {
  const statuses: number[] = []
  for (const headers of asks) {
    statuses.push((await app.inject({ url: '/queues', headers })).statusCode)
  }
  return statuses
}

const by = (token: string) => ({ authorization: `Bearer ${token}` })
const from = (address: string) => ({ 'x-forwarded-for': address })

test('each token has its own count, and what it may not open counts too', async () => {
  const app = await api({ tokens, rateLimit: { maxPerToken: 2, window, callers: 10 } })
  const asks = [by('token-one'), by('token-one'), by('token-two'), by('token-one'), by('token-two')]
  expect(await statusesOf(app, asks)).toEqual([200, 200, 200, 429, 200])
  const reply = await app.inject({ url: '/queues', headers: by('token-one') })
  expect(reply.headers['content-type']).toContain('application/problem+json')
  expect(reply.json()).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect(reply.json().detail).toContain('more than 2 requests of one token within 1m')
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
  expect((await app.inject('/health')).statusCode).toBe(200)
})

test('an address over its limit is refused before its token is looked at, so that guessing finds nothing', async () => {
  const app = await api({ tokens, rateLimit: { max: 3, maxPerToken: 100, window, callers: 10 } })
  const guesses = ['a', 'b', 'c', 'token-one', 'd'].map(by)
  expect(await statusesOf(app, guesses)).toEqual([401, 401, 401, 429, 429])
})

test('paths that cannot be read and routes that are not there count as well', async () => {
  const app = await api({ tokens, rateLimit: { max: 2, window, callers: 10 } })
  expect((await app.inject('/tasks/%zz')).statusCode).toBe(401)
  expect((await app.inject('/nowhere')).statusCode).toBe(401)
  expect((await app.inject('/tasks/%zz')).statusCode).toBe(429)
  expect((await app.inject('/nowhere')).statusCode).toBe(429)
})

test('addresses are told apart behind a trusted proxy alone', async () => {
  const rateLimit = { max: 1, window, callers: 10 }
  const trusting = await api({ rateLimit, trustProxy: true })
  expect(await statusesOf(trusting, [from('1.1.1.1'), from('2.2.2.2'), from('1.1.1.1')])).toEqual([
    200, 200, 429,
  ])
  const plain = await api({ rateLimit })
  expect(await statusesOf(plain, [from('1.1.1.1'), from('2.2.2.2')])).toEqual([200, 429])
})

test('no more addresses are remembered than the config says', async () => {
  const app = await api({ trustProxy: true, rateLimit: { max: 1, window, callers: 2 } })
  const asks = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '1.1.1.1', '1.1.1.1'].map(from)
  expect(await statusesOf(app, asks)).toEqual([200, 200, 200, 200, 429])
})

test('a limit that limits nothing is refused, and one of both kinds is enough', () => {
  expect(() => parseConfig({ http: { rateLimit: {} } }, 'x')).toThrow(
    'needs max, maxPerToken or both',
  )
  for (const brief of ['0s', '0.2ms', '99ms']) {
    const rateLimit = { maxPerToken: 5, window: brief }
    expect(() => parseConfig({ http: { rateLimit } }, 'x')).toThrow(
      `http.rateLimit.window: "${brief}" is refused: must be at least 100ms`,
    )
  }
  const { http } = parseConfig({ http: { rateLimit: { maxPerToken: 5 } } }, 'x')
  expect(http).toMatchObject({ rateLimit: { maxPerToken: 5, window, callers: 10_000 } })
})
