import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { errorCodes } from '../../../src/core/errors.js'
import { withRoutes } from '../routes.js'
import { describedApi } from './described.js'

const tokens = { api: ['api-token'], enqueue: ['enqueue-token'], read: ['read-token'] }

/** Every string under a key, wherever it lies. */
function valuesOf(value: unknown, key: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === key && typeof inner === 'string' ? [inner] : valuesOf(inner, key),
  )
}

test('the document is OpenAPI 3.1 to an independent validator, and all that it names is there', async () => {
  const { document } = await describedApi()
  expect(document.openapi).toMatch(/^3\.1\./)
  const verdict = await new Validator().validate(structuredClone<object>(document) as never)
  expect(verdict).toEqual({ valid: true })
  const names = valuesOf(document, '$ref').map((ref) => ref.replace('#/components/schemas/', ''))
  const missing = names.filter((name) => !Object.hasOwn(document.components.schemas, name))
  expect(names.length).toBeGreaterThan(100)
  expect(missing).toEqual([])
  const ids = valuesOf(document, 'operationId')
  expect(new Set(ids).size).toBe(ids.length)
})

test('every route is in it, with a summary, a tag and its answers', async () => {
  const { made, routes } = await withRoutes(() => describedApi())
  const { paths, components } = made.document
  const told = (url: string) => url.replace(':type', 'email').replace(/:(\w+)/g, '{$1}')
  const own = routes.filter(({ method, url }) => method !== 'HEAD' && url !== '*')
  expect(own.length).toBeGreaterThan(20)
  for (const { method, url } of own) {
    const where = `${method} ${url}: give it describe({ … }), see docs/http.md`
    const operation = paths[told(url)]?.[method.toLowerCase()]
    expect(operation?.summary ?? '', where).toMatch(/^[A-Z].*[^.]$/)
    expect(operation?.tags.length, where).toBeGreaterThan(0)
    const answers = Object.entries(operation?.responses ?? {})
    const good = answers.filter(([status]) => status.startsWith('2'))
    expect(good.length, where).toBeGreaterThan(0)
    const bare = good.filter(([status, { content }]) => status !== '204' && content === undefined)
    expect(bare, where).toEqual([])
    expect(answers.length, where).toBeGreaterThan(good.length)
  }
  expect(components.schemas['Problem']).toBeDefined()
})

test('each task type has paths of its own, by its payload and what may lie beside it', async () => {
  const { document } = await describedApi()
  const { paths, components } = document
  const { schemas } = components
  const own = Object.keys(paths).filter((path) => /^\/enqueue\/[^/]+$/.test(path))
  expect(own.sort()).toEqual(
    ['a%3Ab', 'a_b', 'any', 'email', 'reminder', 'tree'].map((type) => `/enqueue/${type}`),
  )
  const fields = (name: string) => Object.keys(schemas[name]?.['properties'] ?? {})
  expect(fields('payload.email')).toEqual(expect.arrayContaining(['to', 'subject', 'body']))
  expect(fields('payload.email')).not.toContain('runAt')
  expect(fields('body.email')).toEqual([...fields('payload.email'), 'runAt', 'delay', 'tz'])
  // Its own `runAt` is the payload's.
  expect(schemas['body.reminder']).toMatchObject({
    properties: { runAt: { type: 'string' }, delay: {}, tz: {} },
    required: ['runAt'],
    additionalProperties: false,
  })
  expect(schemas['payload.a_b']).toEqual({ type: 'number' })
  expect(schemas['payload.a_b_']).toMatchObject({ anyOf: [{}, {}] })
  const { content } = paths['/enqueue/email/batch']?.['post']?.requestBody ?? { content: {} }
  expect(Object.keys(content)).toEqual(['application/json', 'application/x-ndjson'])
})

test('it says which tokens open what, and which codes an answer may have', async () => {
  const { document } = await describedApi()
  const of = (path: string, method: string) => document.paths[path]?.[method]
  const roles = (path: string, method: string) =>
    of(path, method)?.security.map(({ bearer }) => bearer?.[0])
  expect(roles('/enqueue/email', 'post')).toEqual(['api', 'enqueue'])
  expect(roles('/tasks/{id}', 'get')).toEqual(['api', 'enqueue', 'read'])
  expect(roles('/queues', 'get')).toEqual(['api', 'read'])
  expect(roles('/tasks/{id}', 'delete')).toEqual(['api'])
  expect(roles('/health', 'get')).toEqual([])
  const headers = of('/enqueue/email', 'post')?.parameters.filter((one) => one.in === 'header')
  expect(headers?.map(({ name }) => name)).toContain('Idempotency-Key')
  const { responses = {} } = of('/enqueue/email', 'post') ?? {}
  expect(responses['202']?.headers).toHaveProperty('Location')
  expect(responses['503']?.headers).toHaveProperty('Retry-After')
  const problem = document.components.schemas['Problem'] as {
    properties: { code: { enum: string[] } }
  }
  const { enum: codes } = problem.properties.code
  expect(codes).toContain('payload_differs')
  expect(codes.filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([])
})

test('any token opens it, and none does not', async () => {
  const { url } = await describedApi({ tokens })
  for (const token of ['api-token', 'enqueue-token', 'read-token']) {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}/openapi.json`, { headers })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  }
  expect((await fetch(`${url}/openapi.json`)).status).toBe(401)
})

test('the page and its files are there without a token, and nothing else of their folder', async () => {
  const { url } = await describedApi({ tokens })
  const page = await fetch(`${url}/docs`)
  const text = await page.text()
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toContain(
    "script-src 'self';style-src 'self'",
  )
  const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
  expect(files.length).toBe(4)
  const types = {
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    png: 'image/png',
  }
  for (const file of files) {
    const answer = await fetch(new URL(file, `${url}/docs`))
    const kind = /\w+$/.exec(file)?.[0] as keyof typeof types
    expect([file, answer.status]).toEqual([file, 200])
    expect(answer.headers.get('content-type')).toBe(types[kind])
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100)
  }
  expect(text).not.toMatch(/<script>|style=|\bon\w+=|https?:/)
  for (const none of ['index.html', '..%2fpackage.json', '__proto__', 'constructor']) {
    expect((await fetch(`${url}/docs/${none}`)).status).toBe(404)
  }
})
