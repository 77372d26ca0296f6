import { definePlugin, defineTask } from 'redisdistro'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createKernel, type Kernel } from '../../src/kernel/kernel.js'
import { silentLog } from '../../src/telemetry/log.js'
import { testConfig } from '../kernel/stage.js'

const note = defineTask({ type: 'note', payload: z.object({ n: z.number() }), handle: () => 1 })
const tokens = { api: ['a'.repeat(20)], read: ['r'.repeat(20)], enqueue: ['e'.repeat(20)] }
const rule = { task: 'note', every: '15m', payload: { n: 1 } }

let url = ''

beforeAll(async () => {
  const plugins = [definePlugin({ name: 'notes', tasks: [note] })]
  const config = testConfig({ plugins, http: { port: 0, tokens } })
  const kernel: Kernel = await createKernel(config, { env: {}, log: silentLog })
  const started = await kernel.start({ roles: ['producer'] })
  url = started.url ?? ''
  return () => kernel.stop()
})

async function call(route: string, body?: unknown, token = tokens.api[0]) {
  const [method = '', path = ''] = route.split(' ')
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { authorization: `Bearer ${token}`, ...type }
  const response = await fetch(`${url}${path}`, { method, headers, ...sent })
  const text = await response.text()
  const answer = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, body: answer }
}

test('a schedule is made, replaced, shown, listed and removed', async () => {
  const made = await call('PUT /schedules/digest', rule)
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe('/schedules/digest')
  expect(made.body).toMatchObject({ id: 'digest', ...rule, state: 'active', source: 'runtime' })
  expect(Date.parse(made.body.nextRunAt) % (15 * 60_000)).toBe(0)
  const replaced = await call('PUT /schedules/digest', { ...rule, every: '1h' })
  expect(replaced).toMatchObject({ status: 200, body: { every: '1h' } })
  expect((await call('GET /schedules/digest')).body).toMatchObject({ every: '1h', history: [] })
  expect((await call('GET /schedules')).body).toMatchObject({
    items: [{ id: 'digest' }],
    cursor: null,
  })
  expect(await call('DELETE /schedules/digest')).toMatchObject({ status: 204, body: undefined })
  for (const route of ['GET', 'DELETE'].map((method) => `${method} /schedules/digest`)) {
    expect(await call(route)).toMatchObject({ status: 404, body: { code: 'unknown_schedule' } })
  }
})

test('what is wrong with a rule is told, and nothing is kept', async () => {
  const refused = async (body: unknown, id = 'bad') => {
    const { status, body: answer } = await call(`PUT /schedules/${id}`, body)
    const paths = answer.issues.map(({ path }: { path: string }) => path)
    return [status, answer.code, ...paths]
  }
  expect(await refused({})).toEqual([422, 'bad_option', 'task'])
  expect(await refused({ task: 'note' })).toEqual([422, 'bad_option', 'cron'])
  expect(await refused({ ...rule, task: 'none' })).toEqual([422, 'bad_option', 'task'])
  expect(await refused({ ...rule, evry: '1m' })).toEqual([422, 'bad_option', 'evry'])
  expect(await refused({ ...rule, options: { taskId: 'x' } })).toEqual([
    422,
    'bad_option',
    'options.taskId',
  ])
  expect(await refused({ ...rule, options: { queue: 'none' } })).toEqual([
    422,
    'bad_option',
    'options.queue',
  ])
  expect(await refused({ ...rule, payload: { n: 'x' } })).toEqual([422, 'bad_payload', 'payload.n'])
  expect(await refused({ task: 'note', every: '1m' })).toEqual([422, 'bad_payload', 'payload.n'])
  expect(await refused([])).toEqual([422, 'bad_option', ''])
  expect(await refused(rule, '%20')).toEqual([422, 'bad_option', 'id'])
  expect((await call('GET /schedules')).body.items).toEqual([])
})

test('a list is a page by id, and says where the next begins', async () => {
  for (const id of ['p1', 'p2', 'p3']) await call(`PUT /schedules/${id}`, rule)
  const { body: first } = await call('GET /schedules?limit=2')
  expect(first).toMatchObject({ items: [{ id: 'p1' }, { id: 'p2' }], cursor: expect.any(String) })
  const { body: second } = await call(`GET /schedules?limit=2&cursor=${first.cursor}`)
  expect(second).toMatchObject({ items: [{ id: 'p3' }], cursor: null })
  for (const query of ['limit=0', 'limit=1001', 'cursor=x', 'cursor=', 'state=paused']) {
    const path = query.split('=')[0]
    expect(await call(`GET /schedules?${query}`)).toMatchObject({
      status: 422,
      body: { code: 'bad_option', issues: [{ path }] },
    })
  }
  for (const id of ['p1', 'p2', 'p3']) await call(`DELETE /schedules/${id}`)
})

test('it is run now, which is no tick', async () => {
  await call('PUT /schedules/now', { ...rule, options: { tags: ['by hand'] } })
  const run = await call('POST /schedules/now/run')
  expect(run.status).toBe(202)
  expect(run.body.taskId).toMatch(/^now:run:/)
  const task = await call(`GET ${run.headers.get('location')}`)
  expect(task.body).toMatchObject({ type: 'note', payload: { n: 1 }, tags: ['by hand'] })
  expect((await call('GET /schedules/now')).body).toMatchObject({
    runs: 0,
    history: [{ outcome: 'enqueued', reason: 'run now', taskId: run.body.taskId }],
  })
})

test('it is paused and resumed', async () => {
  await call('PUT /schedules/rest', rule)
  const paused = await call('POST /schedules/rest/pause')
  expect(paused).toMatchObject({ status: 200, body: { state: 'paused' } })
  expect(paused.body).not.toHaveProperty('nextRunAt')
  const edited = await call('PUT /schedules/rest', { ...rule, payload: { n: 2 } })
  expect(edited.body.state).toBe('paused')
  expect((await call('POST /schedules/rest/resume')).body).toMatchObject({
    state: 'active',
    nextRunAt: expect.stringMatching(/Z$/),
  })
  expect((await call('POST /schedules/none/pause')).status).toBe(404)
})

test('its next times are told, over a change of the clock and no further than its end', async () => {
  const cron = { task: 'note', payload: { n: 1 }, cron: '30 2 * * *', tz: 'Europe/Rome' }
  const span = { startsAt: '2060-03-27T00:00:00Z', endsAt: '2060-03-30T00:00:00Z' }
  await call('PUT /schedules/rome', { ...cron, ...span })
  expect((await call('GET /schedules/rome/preview')).body).toEqual({
    items: ['2060-03-27T01:30:00.000Z', '2060-03-28T01:00:00.000Z', '2060-03-29T00:30:00.000Z'],
  })
  expect((await call('GET /schedules/rome/preview?n=1')).body.items).toHaveLength(1)
  await call('PUT /schedules/often', { ...rule, every: '1s' })
  expect((await call('GET /schedules/often/preview?n=1000')).body.items).toHaveLength(1000)
  for (const n of ['0', '1001', 'x', '']) {
    expect((await call(`GET /schedules/often/preview?n=${n}`)).status).toBe(422)
  }
})

test('reading wants the read token, all else the one for everything', async () => {
  await call('PUT /schedules/guarded', rule)
  const [read, enqueue] = [tokens.read[0], tokens.enqueue[0]]
  expect((await call('GET /schedules/guarded', undefined, read)).status).toBe(200)
  expect((await call('GET /schedules', undefined, enqueue)).status).toBe(403)
  for (const token of [read, enqueue]) {
    expect((await call('PUT /schedules/guarded', rule, token)).status).toBe(403)
    expect((await call('POST /schedules/guarded/run', undefined, token)).status).toBe(403)
    expect((await call('DELETE /schedules/guarded', undefined, token)).status).toBe(403)
  }
})
