import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '../../src/core/definition.js'
import { startRealApi } from './real-api.js'

const email = defineTask({
  type: 'email',
  payload: z.object({ to: z.email(), subject: z.string() }),
  handle: () => undefined,
})

const nop = defineTask({ ...email, type: 'nop' })

let api: Awaited<ReturnType<typeof startRealApi>>

beforeAll(async () => {
  api = await startRealApi({ tasks: [email, nop] })
})

afterAll(() => api.stop())

const payload = { to: 'a@example.com', subject: 'Hi' }

async function call(method: string, path: string, body?: unknown, headers = {}) {
  const sent =
    body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
  const reply = await fetch(api.url + path, { method, ...sent })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, json: text ? JSON.parse(text) : undefined }
}

test('a task goes from its enqueue over its cancel to its erasure', async () => {
  const made = await call('POST', '/enqueue/email', { ...payload, delay: '1h' })
  expect(made).toMatchObject({ status: 202, json: { state: 'scheduled', duplicate: false } })
  const place = made.headers.get('location') ?? ''
  expect((await call('GET', place)).json).toMatchObject({ payload, state: 'scheduled' })
  expect(await call('POST', `${place}/promote`)).toMatchObject({
    status: 200,
    json: { state: 'waiting' },
  })
  expect((await call('GET', `${place}?wait=30ms`)).json).toMatchObject({ state: 'waiting' })
  expect(await call('DELETE', place)).toMatchObject({ status: 409, json: { state: 'waiting' } })
  expect(await call('POST', `${place}/cancel`)).toMatchObject({
    status: 200,
    json: { state: 'cancelled' },
  })
  expect((await call('GET', '/tasks?state=cancelled')).json.items).toHaveLength(1)
  expect((await call('POST', `${place}/requeue`)).json).toMatchObject({ state: 'waiting' })
  await call('POST', `${place}/cancel`)
  expect((await call('DELETE', place)).status).toBe(204)
  expect((await call('GET', place)).status).toBe(404)
})

test('a time read in a zone is answered with its instant and the zone', async () => {
  const [tz, runAt] = ['Asia/Kolkata', '2099-07-01T02:30:00.000Z']
  for (const text of ['2099-07-01T08:00', 'jul 1 2099 at 8am']) {
    const beside = await call('POST', '/enqueue/email', { ...payload, runAt: text, tz })
    expect(beside).toMatchObject({ status: 202, json: { state: 'scheduled', runAt, tz } })
    const query = new URLSearchParams({ runAt: text, tz })
    const { json } = await call('POST', `/enqueue/email?${query}`, payload)
    expect(json).toMatchObject({ state: 'scheduled', runAt, tz })
  }
  const { json } = await call('POST', '/enqueue/email', { ...payload, runAt, tz })
  expect(json).toMatchObject({ runAt })
  expect(json).not.toHaveProperty('tz')
})

test('a repeat finds the first task, and another payload is refused', async () => {
  const headers = { 'idempotency-key': 'order 7' }
  const first = await call('POST', '/enqueue/email', payload, headers)
  const again = await call('POST', '/enqueue/email', payload, headers)
  expect(again).toMatchObject({
    status: 202,
    json: { taskId: first.json.taskId, duplicate: true },
  })
  const other = await call('POST', '/enqueue/email', { ...payload, subject: 'Ho' }, headers)
  expect(other).toMatchObject({ status: 422, json: { code: 'payload_differs' } })
})

test('a repeat by another type is told the first, or refused where it chose the id', async () => {
  const first = await call('POST', '/enqueue/email?uniqueKey=u1', payload)
  expect(await call('POST', '/enqueue/nop?uniqueKey=u1', payload)).toMatchObject({
    status: 202,
    json: { taskId: first.json.taskId, type: 'email', duplicate: true },
  })
  await call('POST', '/enqueue/email?taskId=t1', payload)
  const other = await call('POST', '/enqueue/nop?taskId=t1', payload)
  expect(other).toMatchObject({ status: 422, json: { code: 'payload_differs' } })
  expect(other.json.detail).toContain("'t1' exists as 'email', and this is 'nop'")
})

test('a time beside the payload of an element is kept, and a past date without its year is not', async () => {
  const element = (runAt: string) => [{ type: 'nop', payload: { ...payload, runAt } }]
  const taken = await call('POST', '/enqueue', element('tomorrow 8am'))
  const task = await call('GET', `/tasks/${taken.json.taskIds[0]}`)
  expect(task.json).toMatchObject({ state: 'scheduled', payload })
  expect(task.json.runAt).toMatch(/T08:00:00.000Z$/)
  const yesterday = new Date(Date.now() - 86_400_000).toUTCString().slice(5, 11)
  const past = await call('POST', '/enqueue', element(`${yesterday} 10am`))
  expect(past).toMatchObject({ status: 422, json: { issues: [{ path: '0.runAt' }] } })
  expect(past.json.detail).toContain('which is past; write the year if the next is meant')
})

test('what is wrong is named, and nothing is written', async () => {
  const before = (await call('GET', '/queues/default')).json.depth
  const bad = [payload, { ...payload, to: 'nobody' }, { ...payload, runAt: 'someday' }]
  const batch = await call('POST', '/enqueue/email/batch', bad)
  expect(batch.status).toBe(422)
  const paths = batch.json.issues.map(({ path }: { path: string }) => path)
  expect(paths).toEqual(['1.to', '2.runAt'])
  const time = await call('POST', '/enqueue/email?runAt=tomorow+8am', payload)
  expect(time).toMatchObject({ status: 422, json: { code: 'bad_time' } })
  const type = await call('POST', '/enqueue/fax', payload)
  expect(type).toMatchObject({ status: 404, json: { code: 'unknown_type' } })
  expect(type.json.detail).toContain('email')
  expect((await call('GET', '/queues/default')).json.depth).toEqual(before)
})

test('a batch is written whole, and its repeat is harmless', async () => {
  const headers = { 'idempotency-key': 'batch 1' }
  const before = (await call('GET', '/queues/default')).json.depth.waiting
  const first = await call('POST', '/enqueue/email/batch', [payload, payload], headers)
  expect(first).toMatchObject({ status: 202, json: { message: '2 tasks enqueued' } })
  const again = await call('POST', '/enqueue/email/batch', [payload, payload], headers)
  expect(again.json.taskIds).toEqual(first.json.taskIds)
  expect((await call('GET', '/queues/default')).json.depth.waiting).toBe(before + 2)
  const mixed = await call('POST', '/enqueue', [
    { type: 'email', payload, options: { tags: ['x'] } },
  ])
  expect(mixed.json.message).toBe('1 task enqueued')
  const tagged = await call('GET', '/tasks?tag=x')
  expect(tagged.json.items).toMatchObject([{ id: mixed.json.taskIds[0], tags: ['x'] }])
})

test('a queue is paused and resumed, and metrics tell of it', async () => {
  const pausedLine = async () =>
    (await (await fetch(`${api.url}/metrics`)).text()).match(/^redisdistro_queue_paused.*$/m)?.[0]
  expect((await call('POST', '/queues/default/pause')).json.paused).toBe(true)
  expect(await pausedLine()).toBe('redisdistro_queue_paused{queue="default"} 1')
  expect((await call('POST', '/queues/default/resume')).json.paused).toBe(false)
  expect(await pausedLine()).toBe('redisdistro_queue_paused{queue="default"} 0')
})
