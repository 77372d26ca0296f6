import { afterEach, beforeEach, expect, test } from 'vitest'
import { noon, RedisStage, to } from './redis-stage.js'

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
})
afterEach(() => stage.close())

test('a task is enqueued and can be looked up', async () => {
  const made = await stage.client.enqueue('email', to(1), { tags: ['x'] })
  expect(made).toMatchObject({ type: 'email', queue: 'main', state: 'waiting', duplicate: false })
  expect(await stage.client.task(made.id)).toMatchObject({
    id: made.id,
    payload: to(1),
    priority: 'normal',
    tags: ['x'],
    attempt: 0,
    enqueuedAt: new Date(noon).toISOString(),
    why: "no live worker for queue 'main'; first in line",
  })
})

test('a text time is read in the zone against the clock of Redis, not the own one', async () => {
  stage.skew = -86_400_000
  const made = await stage.client.enqueue('email', to(1), { runAt: 'tomorrow 8am' })
  expect(made).toMatchObject({
    state: 'scheduled',
    runAt: '2026-01-02T07:00:00.000Z',
    tz: 'Europe/Rome',
  })
  const tokyo = { runAt: 'tomorrow 8am', tz: 'Asia/Tokyo' }
  expect(await stage.client.enqueue('email', to(1), tokyo)).toMatchObject({
    runAt: '2026-01-01T23:00:00.000Z',
    tz: 'Asia/Tokyo',
  })
})

test('a time read in a zone is told with it, an instant without', async () => {
  const times = ['2026-07-01T08:00', '2026-07-01 08:00', 'jul 1 2026 8am', '2026-07-01T06:00Z']
  const options = times.map((runAt) => ({ runAt }))
  const made = await stage.client.enqueueAll(
    options.map((each) => ({ type: 'email', payload: to(1), options: each })),
  )
  expect(made.map(({ runAt }) => runAt)).toEqual(times.map(() => '2026-07-01T06:00:00.000Z'))
  const rome = 'Europe/Rome'
  expect(made.map(({ tz }) => tz)).toEqual([rome, rome, rome, undefined])
  const task = await stage.client.enqueue('email', to(1), {
    runAt: '2026-07-01T08:00',
    tz: 'Asia/Tokyo',
  })
  expect(task).toMatchObject({ runAt: '2026-06-30T23:00:00.000Z', tz: 'Asia/Tokyo' })
})

test('a delay is counted by Redis, and a past instant runs now', async () => {
  stage.skew = 3_600_000
  const delayed = await stage.client.enqueue('email', to(1), { delay: '10m' })
  expect(delayed).toMatchObject({ state: 'scheduled', runAt: '2026-01-01T12:10:00.000Z' })
  expect(delayed).not.toHaveProperty('tz')
  const past = await stage.client.enqueue('email', to(1), { runAt: '2020-01-01T00:00:00Z' })
  expect(past).toMatchObject({ state: 'waiting' })
  expect(past).not.toHaveProperty('runAt')
})

test('a Date is an instant, and what is no time is refused in words', async () => {
  const date = new Date(noon + 60_000)
  const made = await stage.client.enqueue('email', to(1), { runAt: date })
  expect(made).toMatchObject({ state: 'scheduled', runAt: date.toISOString() })
  for (const runAt of [new Date(Number.NaN), true, {}]) {
    await expect(stage.client.enqueue('email', to(1), { runAt })).rejects.toMatchObject({
      code: 'bad_option',
      issues: [{ path: 'runAt', message: expect.stringMatching(/^must be an ISO time.* Date$/) }],
    })
  }
})

test('a clock that runs ahead brings no task before its time', async () => {
  stage.skew = 3_600_000
  const soon = await stage.client.enqueue('email', to(1), { runAt: noon + 60_000 })
  expect(soon).toMatchObject({ state: 'scheduled', runAt: '2026-01-01T12:01:00.000Z' })
})

test('the same taskId or key finds the first task, another payload is refused', async () => {
  for (const options of [{ taskId: 'a7' }, { idempotencyKey: 'order 7' }]) {
    const first = await stage.client.enqueue('email', to(1), options)
    const again = await stage.client.enqueue('email', { n: 1, to: to(1).to }, options)
    expect(first.duplicate).toBe(false)
    expect(again).toMatchObject({ id: first.id, duplicate: true, state: 'waiting' })
    await expect(stage.client.enqueue('email', to(2), options)).rejects.toMatchObject({
      code: 'payload_differs',
    })
  }
})

test('a repeat whose text time has passed finds its first before the time is refused', async () => {
  const options = { taskId: 'a7', runAt: 'today 5pm' }
  const first = await stage.client.enqueue('email', to(1), options)
  stage.now += 6 * 3_600_000
  expect(await stage.client.enqueue('email', to(1), options)).toMatchObject({
    id: 'a7',
    duplicate: true,
    runAt: first.runAt,
    tz: 'Europe/Rome',
  })
  await expect(
    stage.client.enqueue('email', to(1), { ...options, taskId: 'a8' }),
  ).rejects.toMatchObject({ code: 'bad_time' })
  await expect(stage.client.enqueue('email', to(2), options)).rejects.toMatchObject({
    code: 'payload_differs',
  })
})

test('a repeat of a text time tells the time and the zone of its first', async () => {
  const first = await stage.client.enqueue('email', to(1), {
    idempotencyKey: 'k',
    runAt: 'tomorrow 8am',
    tz: 'Asia/Tokyo',
  })
  const again = await stage.client.enqueue('email', to(1), {
    idempotencyKey: 'k',
    runAt: 'tomorrow 9am',
    tz: 'Europe/Rome',
  })
  expect(again).toMatchObject({ duplicate: true, runAt: first.runAt, tz: 'Asia/Tokyo' })
})

test('a generated id that an error named can be repeated as taskId', async () => {
  const { id } = await stage.client.enqueue('email', to(1))
  expect(await stage.client.enqueue('email', to(1), { taskId: id })).toMatchObject({
    id,
    duplicate: true,
  })
})

test('a second task of a unique key is not made', async () => {
  const first = await stage.client.enqueue('email', to(1), { uniqueKey: 'k' })
  const second = await stage.client.enqueue('email', to(2), { uniqueKey: 'k' })
  expect(second).toMatchObject({ id: first.id, duplicate: true })
})

test('a task of another type with the same unique key is told the type of the first', async () => {
  const url = 'https://example.com'
  const first = await stage.client.enqueue('email', to(1), { uniqueKey: 'k', delay: '1h' })
  const unique = { uniqueKey: 'k', queue: 'main' }
  const second = await stage.client.enqueue('image', { url }, unique)
  expect(second).toEqual({ ...first, duplicate: true })
  const batch = await stage.client.enqueueAll([
    { type: 'image', payload: { url }, options: unique },
    { type: 'image', payload: { url }, options: { uniqueKey: 'free', queue: 'main' } },
    { type: 'email', payload: to(2), options: { uniqueKey: 'free' } },
  ])
  expect(batch).toMatchObject([
    { id: first.id, type: 'email', duplicate: true },
    { type: 'image', duplicate: false },
    { id: batch[1]?.id, type: 'image', duplicate: true },
  ])
})

test('a taskId of another type is refused, though the payload is the same', async () => {
  const payload = { ...to(1), url: 'https://example.com' }
  const options = { taskId: 'a7', queue: 'main' }
  await stage.client.enqueue('email', payload, options)
  const message =
    "task 'a7' exists as 'email', and this is 'image'; nothing of this one was written"
  const refusal = { code: 'payload_differs', message, issues: [{ path: 'taskId', message }] }
  for (const more of [{}, { runAt: 'yesterday 5pm' }]) {
    const again = stage.client.enqueue('image', payload, { ...options, ...more })
    await expect(again).rejects.toMatchObject(refusal)
  }
  const batch = stage.client.enqueueAll([{ type: 'image', payload, options }])
  const { code } = refusal
  await expect(batch).rejects.toMatchObject({ code, issues: [{ path: '0.taskId', message }] })
  expect(await stage.client.enqueue('email', payload, options)).toMatchObject({ duplicate: true })
})

test('a generated id that is given as the taskId of another type is refused', async () => {
  const payload = { ...to(1), url: 'https://example.com' }
  const { id } = await stage.client.enqueue('email', payload)
  const options = { taskId: id, queue: 'main', runAt: 'yesterday 5pm' }
  await expect(stage.client.enqueue('image', payload, options)).rejects.toMatchObject({
    code: 'payload_differs',
    message: expect.stringContaining("as 'email'"),
  })
})

test('a mixed batch goes to several queues and answers in its order', async () => {
  const all = await stage.client.enqueueAll([
    { type: 'image', payload: { url: 'https://example.com' } },
    { type: 'email', payload: to(1), options: { delay: '1h' } },
    { type: 'email', payload: to(2), options: { queue: 'wide', taskId: 'mine' } },
  ])
  expect(all).toMatchObject([
    { type: 'image', queue: 'wide', state: 'waiting' },
    { type: 'email', queue: 'main', state: 'scheduled' },
    { id: 'mine', type: 'email', queue: 'wide' },
  ])
  for (const { id } of all) expect(await stage.client.task(id)).toMatchObject({ id })
})

test('a task is called off once', async () => {
  const { id } = await stage.client.enqueue('email', to(1))
  expect(await stage.client.cancel(id)).toMatchObject({
    ok: true,
    from: 'waiting',
    task: { state: 'cancelled', why: 'cancelled by request' },
  })
  expect(await stage.client.cancel(id)).toEqual({
    ok: false,
    reason: 'wrong_state',
    state: 'cancelled',
  })
  expect(await stage.client.cancel('nobody')).toEqual({ ok: false, reason: 'unknown_task' })
})
