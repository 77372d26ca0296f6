import { afterEach, beforeEach, expect, test } from 'vitest'
import { RedisStage, to } from './redis-stage.js'

let stage: RedisStage
beforeEach(async () => {
  stage = new RedisStage()
  await stage.open()
})
afterEach(() => stage.close())

const enqueue = async (n: number, options?: Record<string, unknown>) =>
  (await stage.client.enqueue('email', to(n), options)).id

const why = async (id: string) => (await stage.operator.task(id))?.why

test('a queue that never had a worker, has one, and lost it', async () => {
  const id = await enqueue(1)
  expect(await why(id)).toBe("no live worker for queue 'main'; first in line")
  await stage.join()
  expect(await why(id)).toBe('first in line')
  await stage.leave()
  stage.now += 65_000
  expect(await why(id)).toBe("no live worker for queue 'main' for 1m 10s; first in line")
})

test('a worker that fell silent is gone since its lease was over', async () => {
  await stage.join()
  const id = await enqueue(1)
  stage.now += 30_000 + 20_000
  expect(await why(id)).toBe("no live worker for queue 'main' for 20s; first in line")
})

test('about how long a line takes comes of what ended in the last minutes', async () => {
  await stage.join()
  await stage.client.enqueueMany(
    'email',
    Array.from({ length: 60 }, (_, n) => to(n)),
  )
  const last = await enqueue(61)
  expect(await why(last)).toBe('61st in line behind 60')
  for (const task of await stage.lease(30)) {
    await stage.settle(task, { name: 'complete', result: 1 })
  }
  stage.now += 15_000
  expect(await why(last)).toBe('31st in line behind 30, about 15s at the current rate')
  await stage.operator.pause('main')
  expect(await why(last)).toBe("queue 'main' is paused; 31st in line behind 30")
})

test('a type that nobody publishes is told, until somebody does', async () => {
  await stage.join()
  const id = await enqueue(1)
  const other = stage.stranger()
  expect((await other.task(id))?.why).toBe("no kernel knows its type 'email'; first in line")
  await stage.publish()
  stage.now += 60_000
  expect((await stage.stranger().task(id))?.why).not.toContain('knows')
})

test('a task that was lost with two workers runs alone', async () => {
  const id = await enqueue(1)
  for (let loss = 0; loss < 2; loss++) {
    await stage.join()
    await stage.lease(1)
    // The first look prolongs the leases once: it cannot know for how long nobody looked.
    for (let look = 0; look < 8; look++) {
      stage.now += 10_000
      await stage.rescue()
    }
  }
  await stage.join()
  expect(await why(id)).toBe(
    'its worker was lost 2 times, so it runs alone in a process of its own; first in line',
  )
})
