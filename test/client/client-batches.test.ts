import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RedisStage, to } from './redis-stage.js'

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
})
afterEach(() => stage.close())

const waiting = async (queue: string) => (await stage.operator.queue(queue)).depth.waiting
const images = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ url: `https://example.com/${n}` }))
const email = (n: number) => ({ type: 'email', payload: to(n) })
const image = (n: number) => ({ type: 'image', payload: { url: `https://example.com/${n}` } })

const used = {
  code: 'payload_differs',
  message: 'idempotencyKey: this key was used before, for another batch',
  issues: [{ path: 'idempotencyKey' }],
}

describe('a batch under a key', () => {
  const options = { idempotencyKey: 'k' }

  test('that was cut midway is completed by its repeat', async () => {
    const first = await stage.client.enqueueMany('image', images(600), options)
    for (const { id } of first.slice(200, 520)) {
      await stage.client.cancel(id, 'wide')
      await stage.operator.erase(id, 'wide')
    }
    const again = await stage.client.enqueueMany('image', images(600), options)
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
    expect(again.filter(({ duplicate }) => duplicate)).toHaveLength(280)
    expect(await waiting('wide')).toBe(600)
    expect(await stage.client.task(again[519]?.id ?? '')).toMatchObject({
      payload: images(520)[519],
    })
  })

  test.each([
    ['longer', images(601)],
    ['shorter', images(599)],
    ['in another order', images(600).reverse()],
    ['with one other payload', [...images(599), { url: 'https://example.com/other' }]],
    ['of its first alone', images(1)],
  ])('is refused %s, and nothing is written', async (_, other) => {
    await stage.client.enqueueMany('image', images(600), options)
    await expect(stage.client.enqueueMany('image', other, options)).rejects.toMatchObject(used)
    expect(await waiting('wide')).toBe(600)
  })

  test('is refused longer even when its tasks have ended', async () => {
    await stage.join()
    await stage.client.enqueueMany('email', [to(1)], options)
    for (const task of await stage.lease(1)) {
      await stage.settle(task, { name: 'complete', result: null })
    }
    const longer = stage.client.enqueueMany('email', [to(1), to(2)], options)
    await expect(longer).rejects.toMatchObject(used)
    expect(await waiting('main')).toBe(0)
  })
})

describe('a batch of any types under a key', () => {
  const options = { idempotencyKey: 'k' }

  test('is harmless to repeat', async () => {
    const entries = [email(1), image(1), { ...email(2), options: { delay: '1h' } }]
    const first = await stage.client.enqueueAll(entries, options)
    const again = await stage.client.enqueueAll(entries, options)
    expect(again).toEqual(first.map((each) => ({ ...each, traceId: undefined, duplicate: true })))
  })

  test.each([
    ['longer', [email(1), image(1), email(2)]],
    ['shorter', [email(1)]],
    ['with another queue first', [image(1), email(1)]],
    ['of another type alone', [image(1)]],
  ])('is refused %s, and nothing is written', async (_, other) => {
    await stage.client.enqueueAll([email(1), image(1)], options)
    await expect(stage.client.enqueueAll(other, options)).rejects.toMatchObject(used)
    expect([await waiting('main'), await waiting('wide')]).toEqual([1, 1])
  })

  test('is refused for its key, wherever in it an id of its own stands', async () => {
    await stage.client.enqueueAll([email(1)], options)
    const mine = { ...email(2), options: { taskId: 'mine' } }
    await expect(stage.client.enqueueAll([mine, email(3)], options)).rejects.toMatchObject(used)
    expect(await waiting('main')).toBe(1)
  })

  test('does not meet one of a type that was named', async () => {
    await stage.client.enqueueAll([email(1)], options)
    const ofType = { ...options, type: 'email' }
    await stage.client.enqueueAll([email(1), email(2)], ofType)
    await expect(stage.client.enqueueMany('email', [to(3)], options)).rejects.toMatchObject(used)
    expect(await waiting('main')).toBe(3)
  })
})

test('an id of its own that was used for something else refuses the whole batch', async () => {
  await stage.client.enqueue('email', to(1), { taskId: 'mine' })
  const mine = (n: number) => ({ ...email(n), options: { taskId: 'mine' } })
  await expect(stage.client.enqueueAll([email(5), mine(2)])).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: '1.taskId' }],
  })
  expect(await stage.client.enqueueAll([email(5), mine(1)])).toMatchObject([
    { duplicate: false },
    { id: 'mine', duplicate: true },
  ])
  expect(await waiting('main')).toBe(2)
})

test('an id that was generated refuses a batch too, where its payload is another one', async () => {
  const { id } = await stage.client.enqueue('email', to(1))
  const named = (n: number) => ({ ...email(n), options: { taskId: id } })
  await expect(stage.client.enqueueAll([email(5), named(2)])).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: '1.taskId' }],
  })
  expect(await stage.client.enqueueAll([named(1)])).toMatchObject([{ id, duplicate: true }])
  expect(await waiting('main')).toBe(1)
})

test('an id that is chosen twice in a batch for two payloads refuses it', async () => {
  const mine = (n: number) => ({ ...email(n), options: { taskId: 'mine' } })
  await expect(stage.client.enqueueAll([mine(1), mine(1), mine(2)])).rejects.toMatchObject({
    code: 'payload_differs',
    issues: [{ path: '2.taskId' }],
  })
  expect(await waiting('main')).toBe(0)
})
