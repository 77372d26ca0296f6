import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/kernel/read-config.js'
import { withRoutes } from './routes.js'
import { api } from './stand-in.js'

const tokens = { api: ['api-token'], enqueue: ['enqueue-token'], read: ['read-token'] }

const filled = (url: string) => url.replace(':file', 'start.js').replace(/:[a-z]+/g, 'email')
const encodedFirst = (url: string) =>
  url.replace(/^\/([a-z])/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`)

const waysIn: readonly ((url: string) => string)[] = [
  (url) => url,
  (url) => `${url}/`,
  (url) => `/${url}`,
  (url) => url.toUpperCase(),
  encodedFirst,
  (url) => `${url}%00`,
  (url) => `${url}?token=api-token&access_token=api-token&authorization=Bearer%20api-token`,
  (url) => `/health/..${url}`,
  (url) => `/health?x=${url}`,
]

const noToken: readonly Record<string, string>[] = [
  {},
  { authorization: 'Bearer another' },
  { authorization: 'Basic YXBpLXRva2Vu' },
  { authorization: 'Bearer' },
  { authorization: 'api-token' },
  {
    cookie: 'token=api-token',
    'x-api-key': 'api-token',
    'proxy-authorization': 'Bearer api-token',
  },
]

describe('without a token of the server', () => {
  test('no route answers by any of its spellings or methods, but for health, readiness and the empty page', async () => {
    const { made: app, routes } = await withRoutes(() => api({ tokens }))
    expect(routes.length).toBeGreaterThan(20)
    const without = routes.filter(({ access }) => access === 'open' || access === 'page')
    const open = new Set(without.map(({ url }) => filled(url)))
    expect([...open].sort()).toEqual(['/docs', '/docs/start.js', '/health', '/ready'])
    let asked = 0
    for (const { url } of routes) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        for (const [index, way] of waysIn.entries()) {
          const path = way(filled(url))
          const headers = noToken[(asked + index) % noToken.length] ?? {}
          const { statusCode } = await app.inject({ method, url: path, headers })
          // What leads to an open route, by its encoding too, is that route.
          const led = decodeURI(new URL(`http://a${path}`).pathname)
          const reading = /GET|HEAD/.test(method)
          const isOpen = open.has(led) && reading
          // Of the page's files none is a secret, nor that there is no such file.
          const closed = reading && /^\/docs\/[^/]*$/.test(led) ? 404 : 401
          expect(`${method} ${path} ${statusCode}`).toBe(
            `${method} ${path} ${isOpen ? 200 : closed}`,
          )
          asked++
        }
      }
    }
    expect(app.enqueuer.calls).toEqual([])
    expect(app.operator.asked).toEqual([])
  })

  test('a path that cannot be read is asked for a token all the same', async () => {
    const app = await api({ tokens })
    for (const url of ['/tasks/%zz', `/tasks/${'a'.repeat(600)}`, '/%']) {
      const reply = await app.inject({ url })
      expect(reply.json()).toMatchObject({ status: 401, code: 'unauthorized' })
      expect(reply.headers['www-authenticate']).toContain('Bearer')
      const headers = { authorization: 'Bearer read-token' }
      expect((await app.inject({ url, headers })).statusCode).toBeGreaterThanOrEqual(400)
    }
  })
})

describe('a host', () => {
  const started = (host: string) => readConfig({ config: { http: { host } }, env: {} })

  test.each([
    '0.0.0.0',
    '::',
    '[::]',
    '192.168.1.7',
    '10.0.0.1',
    'queue.internal',
    'localhost.evil',
  ])('that others reach, %s, is refused without a token', async (host) => {
    await expect(started(host)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('set API_TOKEN'),
    })
  })

  test.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])(
    'of this machine, %s, is not',
    async (host) => {
      expect((await started(host)).http).toMatchObject({ host })
    },
  )
})
