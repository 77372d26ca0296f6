import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '../../src/core/definition.js'
import { startRealApi } from './real-api.js'
import { api, task } from './stand-in.js'

const put = (payload: unknown, query = '') =>
  ({ method: 'PUT', url: `/tasks/t/payload${query}`, payload: payload as object }) as const

test('a payload is put, and run on demand', async () => {
  const app = await api()
  app.operator.tasksById.set('t', task('t', 'dead'))
  const reply = await app.inject(put({ to: 'b' }))
  expect(reply.json()).toMatchObject({ id: 't', state: 'dead' })
  const run = await app.inject(put({ to: 'b' }, '?run=true&queue=default'))
  expect(run.json()).toMatchObject({ state: 'waiting' })
  const options = { run: true, queue: 'default' }
  expect(app.operator.asked.at(-1)).toEqual(['edited', { to: 'b' }, options])
})

test('what cannot be put is a problem', async () => {
  const app = await api({ payload: { maxDepth: 2, maxValues: 10 } })
  const none = await app.inject(put({}))
  expect(none.json()).toMatchObject({ status: 404, code: 'unknown_task' })
  app.operator.tasksById.set('t', task('t', 'active'))
  const refused = await app.inject(put({}))
  expect(refused.json()).toMatchObject({ status: 409, code: 'wrong_state', state: 'active' })
  expect(refused.json().detail).toContain('scheduled, retryable, dead or cancelled can be edited')
  const deep = await app.inject(put({ a: { b: { c: 1 } } }))
  expect(deep.json()).toMatchObject({ status: 422, code: 'bad_payload' })
  const headers = { 'content-type': 'application/json' }
  const lossy = await app.inject({ ...put(''), payload: '{"n":9007199254740993}', headers })
  expect(lossy.json()).toMatchObject({ status: 422, issues: [{ path: 'n' }] })
  const nothing = await app.inject({ method: 'PUT', url: '/tasks/t/payload' })
  expect(nothing.statusCode).toBe(400)
  const typo = await app.inject(put({}, '?run=maybe'))
  expect(typo.json()).toMatchObject({ status: 422, issues: [{ path: 'run' }] })
})

test('the schema of its type checks it, and a repeat with the new payload finds the task', async () => {
  const mail = defineTask({
    type: 'mail',
    payload: z.object({ to: z.email() }),
    handle: () => undefined,
  })
  const { url, client, operator, stop } = await startRealApi({ tasks: [mail] })
  try {
    await client.enqueue('mail', { to: 'a@example.com' }, { taskId: 'mine', delay: '1h' })
    const send = async (payload: unknown, query = '') => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(payload)
      return await fetch(`${url}/tasks/mine/payload${query}`, { method: 'PUT', headers, body })
    }
    const bad = await send({ to: 7 })
    expect(await bad.json()).toMatchObject({ code: 'bad_payload', issues: [{ path: 'to' }] })
    expect(await operator.task('mine')).toMatchObject({ payload: { to: 'a@example.com' } })
    const good = await send({ to: 'b@example.com' }, '?run=true')
    expect(await good.json()).toMatchObject({ state: 'waiting', payload: { to: 'b@example.com' } })
    const again = await client.enqueue('mail', { to: 'b@example.com' }, { taskId: 'mine' })
    expect(again).toMatchObject({ id: 'mine', duplicate: true })
    const old = client.enqueue('mail', { to: 'a@example.com' }, { taskId: 'mine' })
    await expect(old).rejects.toMatchObject({ code: 'payload_differs' })
  } finally {
    await stop()
  }
})
