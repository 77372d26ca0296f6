import { Ajv2020 } from 'ajv/dist/2020.js'
import { definePlugin, defineTask, FatalError } from 'redisdistro'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { kernelOf, testConfig } from '../../kernel/stage.js'
import { type Document, describedApi, type Schema } from './described.js'

const tokens = { api: ['api-token'], enqueue: ['enqueue-token'], read: [] }

/** Checks answers of a server against its document, and keeps which ones it has seen. */
function checker(url: string, document: Document) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'doc', components: document.components })
  const seen = new Set<string>()

  const fits = (schema: Schema, body: unknown): unknown => {
    const text = JSON.stringify(schema).replaceAll('"#/', '"doc#/')
    const check = ajv.compile(JSON.parse(text))
    return check(body) || check.errors
  }

  /** Asks by a path of the document, whose names are filled in from `names`. */
  return {
    seen,
    async ask(method: string, path: string, { names = {}, ...init }: Asking = {}) {
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '')
      const headers = { authorization: 'Bearer api-token', ...init.headers }
      const answer = await fetch(`${url}${filled}${init.query ?? ''}`, { ...init, method, headers })
      const where = `${method} ${path} ${answer.status}`
      seen.add(where)
      const told = document.paths[path]?.[method.toLowerCase()]?.responses[answer.status]
      expect(told, `${where} is told of`).toBeDefined()
      const [media = ''] = (answer.headers.get('content-type') ?? '').split(';')
      const text = await answer.text()
      if (answer.status === 204) return { status: 204, body: undefined }
      const schema = told?.content?.[media]?.schema
      expect(schema, `${where} is told of as ${media}`).toBeDefined()
      const body: unknown = media.endsWith('json') ? JSON.parse(text) : text
      expect(fits(schema ?? {}, body), where).toBe(true)
      return { status: answer.status, body: body as { taskId: string; taskIds: string[] } }
    },
  }
}

interface Asking extends RequestInit {
  readonly names?: Record<string, string>
  readonly query?: string
  readonly headers?: Record<string, string>
}

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

const mail = { to: 'a@example.com', subject: 'Hi', body: 'Hello' }

test('what a server answers is what its document says', async () => {
  const { url, document } = await describedApi({ tokens, bodyLimit: 2000 })
  const { ask, seen } = checker(url, document)
  const at = async (id: string, action = '', method = 'POST') =>
    (await ask(method, `/tasks/{id}${action}`, { names: { id } })).status

  const first = await ask('POST', '/enqueue/email', json({ ...mail, runAt: 'in 2 hours' }))
  const id = first.body?.taskId ?? ''
  await ask('POST', '/enqueue/email', json({ to: 1 }))
  await ask('POST', '/enqueue/email', json({ ...mail, runAt: 'some day' }))
  await ask('POST', '/enqueue/email', { ...json(mail), query: '?queue=none' })
  await ask('POST', '/enqueue/email', { ...json(mail), body: '{' })
  await ask('POST', '/enqueue/email', { body: 'x', headers: { 'content-type': 'text/plain' } })
  await ask('POST', '/enqueue/email', json({ ...mail, body: 'x'.repeat(3000) }))
  await ask('POST', '/enqueue/email', json(mail, { authorization: 'Bearer none' }))
  await ask('POST', '/enqueue/email/batch', json([mail, mail]))
  await ask('POST', '/enqueue', json([{ type: 'email', payload: mail, options: { tags: ['x'] } }]))
  await ask('POST', '/enqueue', json([{ type: 'none', payload: mail }]))

  expect(await at(id, '', 'GET')).toBe(200)
  expect(await at('none', '', 'GET')).toBe(404)
  expect(await at(id, '/promote')).toBe(200)
  expect(await at(id, '/promote')).toBe(409)
  expect(await at(id, '/cancel')).toBe(200)
  expect(await at(id, '/requeue')).toBe(200)
  expect(await at(id, '/cancel')).toBe(200)
  expect(await at(id, '', 'DELETE')).toBe(204)
  await ask('GET', '/tasks', { query: '?limit=2&state=waiting' })
  await ask('GET', '/tasks', { query: '?limit=0' })
  await ask('GET', '/tasks', { query: '?queue=none' })

  await ask('GET', '/queues')
  await ask('GET', '/queues/{name}', { names: { name: 'default' } })
  await ask('GET', '/queues/{name}', { names: { name: 'none' } })
  await ask('POST', '/queues/{name}/pause', { names: { name: 'default' } })
  await ask('POST', '/queues/{name}/resume', { names: { name: 'default' } })
  await ask('GET', '/queues', { headers: { authorization: 'Bearer enqueue-token' } })
  await ask('GET', '/dead-letters')
  await ask('GET', '/dead-letters/{key}', { names: { key: 'dead' } })
  await ask('POST', '/dead-letters/{key}/requeue', { names: { key: 'dead' } })
  await ask('DELETE', '/dead-letters/{key}', { names: { key: 'dead' } })
  for (const path of ['/workers', '/stats', '/health', '/ready', '/metrics', '/openapi.json']) {
    await ask('GET', path)
  }
  await ask('GET', '/metrics', { headers: { accept: 'application/json' } })
  await ask('GET', '/docs')

  const statuses = [...seen].map((where) => where.slice(-3))
  expect(new Set(statuses)).toEqual(
    new Set(['200', '202', '204', '400', '401', '403', '404', '409', '413', '415', '422']),
  )
})

const worked = defineTask({
  type: 'worked',
  payload: z.object({ fails: z.boolean() }),
  async handle({ fails }, { progress }) {
    await progress({ half: true })
    if (fails) throw new FatalError('gone')
    return { done: true }
  },
})

test('and so what workers made of tasks', async () => {
  const plugins = [definePlugin({ name: 'works', tasks: [worked] })]
  const kernel = await kernelOf(testConfig({ plugins }))
  const { url = '' } = await kernel.start()
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const { ask } = checker(url, document)
  for (const fails of [true, false]) {
    const { body } = await ask('POST', '/enqueue/worked', json({ fails }))
    const names = { id: body?.taskId ?? '' }
    const ended = await ask('GET', '/tasks/{id}', { names, query: '?wait=30s' })
    expect(ended.body).toMatchObject(
      fails
        ? { state: 'dead', deadLetter: 'dead', attempts: [{ error: { code: 'fatal' } }] }
        : { state: 'completed', result: { done: true }, progress: { half: true } },
    )
  }
  const workers = await ask('GET', '/workers')
  expect(workers.body).toMatchObject({ items: [{ queue: 'default' }] })
  const dead = await ask('GET', '/dead-letters/{key}', { names: { key: 'dead' } })
  expect(dead.body).toMatchObject({ items: [{ type: 'worked' }] })
  for (const path of ['/dead-letters', '/queues', '/stats', '/ready']) await ask('GET', path)
})

test('what a document says of a payload is what the server checks', async () => {
  const { url, document } = await describedApi()
  const { ask } = checker(url, document)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'doc', components: document.components })
  const bodies: readonly (readonly [string, unknown])[] = [
    ['email', mail],
    ['email', { ...mail, runAt: '5m', tz: 'UTC' }],
    ['email', { to: 'a@example.com' }],
    ['reminder', { runAt: 'x' }],
    ['reminder', { runAt: 'x', delay: '5m' }],
    ['reminder', { runAt: 'x', other: 1 }],
    ['tree', { label: 'a', children: [{ label: 'b', children: [] }] }],
    ['tree', { label: 'a', children: [{ label: 1 }] }],
    ['a:b', 7],
    ['a:b', 'x'],
    ['a_b', { two: 'x' }],
    ['a_b', { three: 'x' }],
    ['any', null],
  ]
  for (const [type, body] of bodies) {
    const path = `/enqueue/${encodeURIComponent(type)}`
    const { schema = {} } =
      document.paths[path]?.['post']?.requestBody?.content['application/json'] ?? {}
    const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')))
    const { status } = await ask('POST', path, json(body))
    expect([type, body, check(body) ? 202 : 422]).toEqual([type, body, status])
  }
})
