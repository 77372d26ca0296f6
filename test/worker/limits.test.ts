import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Broker } from '../../src/core/broker.js'
import { until } from '../support/redis.js'
import { changed, WorkerStage } from './stage.js'

/** Counts the cycles of the workers that see the broker through `between`. */
function counting() {
  const seen = { cycles: 0 }
  const between = (broker: Broker) =>
    changed(broker, {
      cycle: (...call) => {
        seen.cycles += 1
        return broker.cycle(...call)
      },
    })
  return { seen, between }
}

test('a queue at its rate makes about as many rounds as it has tasks, with several workers too', async () => {
  const stage = await WorkerStage.open()
  await stage.broker.limit(stage.partition, { rate: '50/s' })
  const ids = []
  for (let i = 0; i < 100; i += 1) ids.push(await stage.add())
  const { seen, between } = counting()
  const starts: number[] = []
  const handle = (_: unknown, { task }: { task: { fence: number } }) => starts.push(task.fence)
  stage.start({ handle, between, concurrency: 3 })
  stage.start({ handle, between, concurrency: 3 })
  await until(() => starts.length === 100)
  // One to lease and one to settle each, and some until a first one looks after the line.
  expect(seen.cycles).toBeLessThan(250)
  // Redis's time of each lease, in microseconds: no window has more than the bucket gives.
  starts.sort((a, b) => a - b)
  for (const [i, first] of starts.entries()) {
    for (const [j, last] of starts.entries()) {
      if (j > i) expect(j - i + 1).toBeLessThanOrEqual(50 + ((last - first) / 1e6) * 50 + 2)
    }
  }
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeLessThan(2e6)
})

test('what comes into a line at its limit costs no rounds', async () => {
  const stage = await WorkerStage.open()
  await stage.broker.limit(stage.partition, { rate: '1/h' })
  const { seen, between } = counting()
  const ran: unknown[] = []
  const done = () => ran.push(1)
  stage.start({ handle: done, between })
  stage.start({ handle: done, between })
  await stage.add()
  await until(() => ran.length === 1)
  for (let i = 0; i < 20; i += 1) await stage.add()
  // Whoever was woken by the first of them looks after the line.
  await pause(200)
  const before = seen.cycles
  for (let i = 0; i < 300; i += 1) await stage.add()
  // Each worker looks once a second whatever comes.
  expect(seen.cycles - before).toBeLessThanOrEqual(6)
  expect(ran).toHaveLength(1)
  await stage.broker.limit(stage.partition, { rate: null })
  await until(() => ran.length === 321)
})

test('over all workers no more are active than maxActive, and those of a lost one are free again', async () => {
  const stage = await WorkerStage.open()
  await stage.broker.limit(stage.partition, { maxActive: 3 })
  for (let i = 0; i < 150; i += 1) await stage.add()
  // A worker that was killed: nobody renews its lease.
  const about = { host: 'here', pid: 1, concurrency: 2, startedAt: 0 }
  const retention = { age: 1000, count: 10 }
  await stage.broker.rescue(stage.partition, 600)
  await stage.broker.join(stage.partition, 'killed', 600, about)
  const call = { worker: 'killed', settled: [], wanted: 2, promote: false, retention }
  expect(await stage.broker.cycle(stage.partition, call)).toMatchObject({ leased: [{}, {}] })
  let active = 0
  let most = 0
  let ended = 0
  const handle = async () => {
    active += 1
    most = Math.max(most, active)
    await pause(5)
    active -= 1
    ended += 1
  }
  stage.start({ handle })
  stage.start({ handle })
  await until(() => ended > 3)
  expect(most).toBe(1)
  stage.startRescuer(600)
  await until(() => ended === 150)
  expect(most).toBe(3)
})

test('a limit that is set while a worker runs holds for what it claimed ahead, too', async () => {
  const stage = await WorkerStage.open()
  let ran = 0
  const handle = () => {
    ran += 1
  }
  const tasks = async (amount: number) => {
    const body = { type: 'job', payload: null, enqueuedAt: 0, overrides: {}, tags: [] }
    const made = Array.from({ length: amount }, (_, i) => ({
      id: `many-${amount}-${i}`,
      priority: 'normal' as const,
      deadLetter: 'dead',
      body,
    }))
    for (let i = 0; i < amount; i += 250) {
      await stage.broker.enqueue(stage.partition, made.slice(i, i + 250), false)
    }
  }
  await tasks(3000)
  stage.start({ handle, concurrency: 10 })
  await until(() => ran > 500)
  await stage.broker.limit(stage.partition, { rate: '1/d' })
  const { depth } = await stage.broker.counts(stage.partition)
  await until(async () => (await stage.broker.counts(stage.partition)).depth.active === 0)
  const after = await stage.broker.counts(stage.partition)
  // A cycle that was under way may still have begun what it leased before.
  expect(depth.waiting - after.depth.waiting).toBeLessThanOrEqual(1)
})
