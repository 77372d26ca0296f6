import { expect, onTestFinished, test } from 'vitest'
import { ThreadKeeper } from '../../src/broker/keeper/thread-keeper.js'
import type { ScriptStore } from '../../src/broker/script-store.js'
import type { CycleCall, LeasedTask } from '../../src/core/broker.js'
import { testRedisUrl, until } from '../support/redis.js'
import { changed, WorkerStage } from './stage.js'

test('what was claimed ahead goes back when handlers become slow, and an idle worker runs it', async () => {
  const stage = await WorkerStage.open()
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  onTestFinished(() => open())
  const [fast, later] = [600, 600]
  for (let n = 0; n < fast; n++) await stage.add('fast')
  const slow = await stage.add('slow')
  const ids: string[] = []
  for (let n = 0; n < later; n++) ids.push(await stage.add('later'))
  const calls: CycleCall[] = []
  const by: string[] = []
  const first = stage.start({
    concurrency: 1,
    handle: (payload) => (payload === 'slow' ? opened : by.push('first')),
    between: (broker) =>
      changed(broker, {
        cycle: (partition, call) => {
          calls.push(call)
          return broker.cycle(partition, call)
        },
      }),
  })
  await stage.reached(slow, 'active')
  const active = async () => (await stage.broker.counts(stage.partition)).depth.active
  await until(async () => (await active()) === 1, { describe: 'the slow task alone to be held' })
  const released = calls
    .flatMap(({ settled }) => settled)
    .filter((s) => s.outcome.name === 'release')
  expect(released.length).toBeGreaterThan(0)
  expect(by).toHaveLength(fast)
  stage.start({ handle: () => by.push('second') })
  await until(() => by.length === fast + later)
  expect(by.filter((who) => who === 'second')).toHaveLength(later)
  open()
  await stage.reached(slow, 'completed')
  await first.stop()
})

test('what a handler throws once it is told of the shutdown is no failure of its task', async () => {
  const stage = await WorkerStage.open()
  const thrown: string[] = []
  const worker = stage.start({
    handle: (payload, { signal }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => {
          thrown.push(String(payload))
          if (payload === 'ends well') resolve('in time')
          else reject(signal.reason)
        })
      }),
  })
  const [bad, good] = [await stage.add('throws'), await stage.add('ends well')]
  await stage.reached(bad, 'active')
  await stage.reached(good, 'active')
  await worker.stop()
  expect(thrown.sort()).toEqual(['ends well', 'throws'])
  expect(await stage.find(bad)).toMatchObject({ state: 'waiting', failures: 0, attempts: [] })
  expect(await stage.find(good)).toMatchObject({ state: 'completed', result: 'in time' })
})

test('errors that cannot be read are failures like any other', async () => {
  const stage = await WorkerStage.open()
  const oops = () => {
    throw new Error('from a getter')
  }
  const spoilt = [
    Object.defineProperty(new Error('x'), 'message', { get: oops }),
    Object.assign(new Error('x'), { message: Object.create(null) }),
    Object.defineProperty({}, 'code', { get: oops }),
    Object.create(null),
    new Proxy(new Error('x'), { get: oops, has: oops, getPrototypeOf: oops }),
  ]
  const ids: string[] = []
  for (const [n] of spoilt.entries()) ids.push(await stage.add(n))
  stage.start({
    handle: (n) => {
      throw spoilt[Number(n)]
    },
  })
  for (const id of ids) {
    const { attempts } = await stage.reached(id, 'dead')
    expect(attempts).toHaveLength(3)
    expect(attempts[0]).toMatchObject({ outcome: 'retry', error: { code: 'failed' } })
  }
})

test('an unreadable error of a toJSON that is asked again buries its task and stops no other', async () => {
  const stage = await WorkerStage.open()
  let looks = 0
  const result = {
    toJSON() {
      looks += 1
      if (looks > 1) throw Object.create(null)
      return 'once'
    },
  }
  const bad = await stage.add('bad')
  stage.start({ concurrency: 1, handle: (payload) => (payload === 'bad' ? result : 'good') })
  await stage.reached(bad, 'dead')
  await stage.reached(await stage.add('good'), 'completed')
})

test('a task that cannot even be begun is buried, and its slot is free', async () => {
  const stage = await WorkerStage.open()
  const bad = [await stage.add('bad'), await stage.add('bad')]
  const good = await stage.add('good')
  const spoilt = (task: LeasedTask): LeasedTask =>
    task.body.payload === 'bad'
      ? { ...task, body: { ...task.body, overrides: null as unknown as object } }
      : task
  stage.start({
    concurrency: 1,
    handle: (payload) => payload,
    between: (broker) =>
      changed(broker, {
        cycle: async (partition, call) => {
          const reply = await broker.cycle(partition, call)
          return reply.lost ? reply : { ...reply, leased: reply.leased.map(spoilt) }
        },
      }),
  })
  expect(await stage.reached(good, 'completed')).toMatchObject({ result: 'good' })
  for (const id of bad) {
    const error = { code: 'internal', message: expect.stringContaining('could not be run') }
    expect(await stage.reached(id, 'dead')).toMatchObject({ attempts: [{ error }] })
  }
  expect(stage.log.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
})

test('a lease thread that takes the place of a failed one keeps the leases that were held', async () => {
  const stage = await WorkerStage.open()
  const lease = 2000
  const about = { host: 'here', pid: 1, concurrency: 1, startedAt: 0 }
  await stage.broker.join(stage.partition, 'w1', lease, about)
  const leaseUntil = async () => (await stage.broker.workers(stage.partition))[0]?.leaseUntil
  const first = (await leaseUntil()) ?? 0
  // The first thread finds no server to connect to, and fails as it starts.
  const connection: { memory?: string; url?: string } = { memory: 'none' }
  const engine = { store: {} as ScriptStore, prefix: stage.prefix, now: () => '' as const }
  const lost: string[] = []
  const keeper = new ThreadKeeper(
    {
      lease,
      maxBlocked: 0,
      log: () => {
        delete connection.memory
        connection.url = testRedisUrl()
      },
    },
    { engine, connection: connection as { url: string } },
  )
  onTestFinished(() => keeper.close())
  keeper.hold({
    partition: stage.partition,
    worker: 'w1',
    onLost: () => void lost.push('w1'),
    onStop: () => undefined,
  })
  await until(async () => ((await leaseUntil()) ?? first) > first)
  expect(connection.url).toBeDefined()
  expect(lost).toEqual([])
})
