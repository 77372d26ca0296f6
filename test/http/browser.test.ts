import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/kernel/read-config.js'
import { api } from './stand-in.js'

const tokens = { api: ['the-api-token'], enqueue: [], read: [] }
const page = 'https://app.example.com'
const cors = { origins: [page] }

const fixed = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

describe('headers', () => {
  test('keep every answer from being run, framed or kept, errors and paths that cannot be read too', async () => {
    const app = await api({ tokens })
    const headers = { authorization: 'Bearer the-api-token' }
    const asked = [
      { url: '/health' },
      { url: '/metrics', headers },
      { url: '/queues' },
      { url: '/queues', headers },
      { url: '/nowhere', headers },
      { url: '/tasks/%zz', headers },
      { url: '/enqueue/email', method: 'POST', headers, payload: 'x' },
      { url: '/queues', method: 'OPTIONS', headers },
    ] as const
    for (const one of asked) {
      const reply = await app.inject(one)
      expect(reply.headers).toMatchObject(fixed)
      expect(reply.headers).not.toHaveProperty('x-powered-by')
      expect(reply.headers).not.toHaveProperty('server')
      expect(reply.headers).not.toHaveProperty('strict-transport-security')
    }
  })

  test('ask for TLS only where the client came by it', async () => {
    const app = await api({ trustProxy: true })
    const headers = { 'x-forwarded-proto': 'https' }
    const reply = await app.inject({ url: '/health', headers })
    expect(reply.headers['strict-transport-security']).toBe('max-age=31536000')
  })
})

const preflight = (origin: string) =>
  ({
    method: 'OPTIONS',
    url: '/enqueue/email',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  }) as const

const allows = (headers: object) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))

describe('other sites', () => {
  test('are told nothing unless the config lists them', async () => {
    const app = await api({ tokens })
    const headers = { origin: page, authorization: 'Bearer the-api-token' }
    expect(allows((await app.inject({ url: '/queues', headers })).headers)).toEqual([])
    const asked = await app.inject(preflight(page))
    expect(asked.statusCode).toBe(401)
    expect(allows(asked.headers)).toEqual([])
  })

  test('that are listed may call with a token, and preflight without', async () => {
    const app = await api({ tokens, cors })
    const asked = await app.inject(preflight(page))
    expect(asked.statusCode).toBe(204)
    expect(asked.body).toBe('')
    expect(asked.headers).toMatchObject({
      ...fixed,
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
      vary: 'Origin',
    })
    expect(asked.headers['access-control-allow-headers']).toContain('authorization')
    expect(asked.headers).not.toHaveProperty('access-control-allow-credentials')
    const refused = await app.inject({ url: '/queues', headers: { origin: page } })
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['access-control-allow-origin']).toBe(page)
    const headers = { origin: page, authorization: 'Bearer the-api-token' }
    const taken = await app.inject({ url: '/metrics', headers })
    expect(taken.statusCode).toBe(200)
    expect(taken.headers['access-control-allow-origin']).toBe(page)
    expect(taken.headers['vary']).toBe('Origin, accept')
  })

  test.each([
    'https://app.example.com.evil',
    'https://APP.example.com',
    'http://app.example.com',
    'null',
  ])('that are not, %s, learn nothing by a preflight', async (origin) => {
    const app = await api({ tokens, cors })
    const asked = await app.inject(preflight(origin))
    expect(asked.json()).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(allows(asked.headers)).toEqual([])
    expect(asked.headers['vary']).toBe('Origin')
    const authorization = 'Bearer the-api-token'
    const known = preflight(origin)
    const let_in = await app.inject({ ...known, headers: { ...known.headers, authorization } })
    expect(let_in.json()).toMatchObject({ status: 404, code: 'unknown_route' })
  })

  test('reach a server without tokens only where they are listed', async () => {
    const app = await api({ cors })
    const ask = async (origin: string) =>
      (await app.inject({ url: '/queues', headers: { origin } })).statusCode
    expect(await ask(page)).toBe(200)
    expect(await ask('https://evil.example')).toBe(403)
    const foreignHost = { host: 'evil.example', origin: page }
    expect((await app.inject({ url: '/queues', headers: foreignHost })).statusCode).toBe(403)
  })

  test.each([
    '*',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'https://*.example.com',
    'https://App.example.com',
    'ftp://x',
  ])('are named by their exact origin, not by %s', (origin) => {
    expect(() => parseConfig({ http: { cors: { origins: [origin] } } }, 'x')).toThrow(/origin/)
  })
})
