import { expect, test } from 'vitest'
import { createShares, type Shares } from '../../src/worker/shares.js'
import { until } from '../support/redis.js'
import { WorkerStage } from './stage.js'

/** A queue whose tasks run until they are let end, one by one. */
async function gated(shares: Shares, weight = 1) {
  const stage = await WorkerStage.open()
  const running: (() => void)[] = []
  let ended = 0
  const handle = async () => {
    await new Promise<void>((resolve) => running.push(resolve))
    ended += 1
  }
  stage.start({ handle, shares, weight, concurrency: 20 })
  return {
    running,
    ended: () => ended,
    add: async (amount: number) => {
      for (let i = 0; i < amount; i += 1) await stage.add()
    },
    end: (amount: number) => {
      for (const end of running.splice(0, amount)) end()
    },
  }
}

test('an idle queue lends its slots, gets one at once and the rest of its own as tasks end', async () => {
  const shares = createShares(8)
  const busy = await gated(shares)
  const idle = await gated(shares)
  await busy.add(40)
  await until(() => busy.running.length === 7)
  await idle.add(40)
  await until(() => idle.running.length === 1)
  expect(busy.running).toHaveLength(7)
  for (let ended = 1; ended <= 3; ended += 1) {
    busy.end(1)
    await until(() => idle.running.length === 1 + ended)
  }
  expect([busy.running.length, idle.running.length]).toEqual([4, 4])
  busy.end(4)
  idle.end(4)
  await until(() => busy.running.length === 4 && idle.running.length === 4)
})

test('queues that are both busy share by weight', async () => {
  const shares = createShares(8)
  const heavy = await gated(shares, 3)
  const light = await gated(shares, 1)
  await heavy.add(60)
  await light.add(60)
  // However they began, it has come to this once all that began has ended.
  for (let round = 0; round < 3; round += 1) {
    await until(() => heavy.running.length + light.running.length === 8)
    heavy.end(8)
    light.end(8)
  }
  await until(() => heavy.running.length === 6 && light.running.length === 2)
})

test('many short tasks of two queues all run, and never more at once than there are slots', async () => {
  const shares = createShares(5)
  let active = 0
  let most = 0
  let ended = 0
  const handle = async () => {
    active += 1
    most = Math.max(most, active)
    await new Promise((resolve) => setImmediate(resolve))
    active -= 1
    ended += 1
  }
  for (const weight of [1, 4, 9]) {
    const stage = await WorkerStage.open()
    for (let i = 0; i < 150; i += 1) await stage.add()
    stage.start({ handle, shares, weight, concurrency: 20 })
  }
  await until(() => ended === 450)
  expect(most).toBeLessThanOrEqual(5)
  expect(most).toBeGreaterThan(2)
})

test('however many tasks end in one turn of the loop, their queues are looked at once', async () => {
  const shares = createShares(300)
  let looks = 0
  const asked = new Set<number>()
  const joined = Array.from({ length: 300 }, (_, i) =>
    shares.join({
      weight: 1,
      most: 5,
      held: () => {
        looks += 1
        return 0
      },
      hungry: () => i % 2 === 0,
      ask: () => asked.add(i),
    }),
  )
  for (const share of joined) share.tell()
  await until(() => asked.size > 0)
  expect(asked.size).toBe(150)
  expect(looks).toBe(300)
})
