import { Redis } from 'ioredis'
import type { Config } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../support/until.js'
import { keepingLog, kernelOf, testConfig } from './stage.js'

/** The same store again and again, with the limits of `default` that a config says. */
function configs() {
  const base = testConfig({ http: false })
  return (limits: object): Config => ({ ...base, queues: { default: limits } })
}

test('a limit of the config holds, gives way to a person, and comes back where it is changed', async () => {
  const withLimits = configs()
  const start = async (limits: object) => {
    const log = keepingLog()
    const kernel = await kernelOf(withLimits(limits), { log })
    await kernel.start({ roles: ['producer'] })
    return {
      kernel,
      lines: log.lines.filter((line) => line.includes('limits')),
      limits: (await kernel.operator.queue('default')).limits,
    }
  }
  const first = await start({ rate: '14 / s' })
  expect(first.limits).toEqual({ rate: '14/s' })
  expect(first.lines).toEqual([])
  const { operator } = first.kernel
  expect(await operator.limit('default', { rate: '3/s', maxActive: 2 })).toMatchObject({
    limits: { rate: '3/s', maxActive: 2, differs: true, config: { rate: '14/s' } },
  })

  const again = await start({ rate: '14/s' })
  expect(again.limits).toMatchObject({ rate: '3/s', maxActive: 2, differs: true })
  expect(again.lines).toEqual([
    "A queue keeps the limits that were set at run time, and not the config's",
  ])

  const changed = await start({ rate: '20/s' })
  expect(changed.limits).toEqual({ rate: '20/s' })
  expect(changed.lines).toEqual([
    "The config's limits of a queue replace those that were set at run time",
  ])
  const none = await start({})
  expect(none.limits).toEqual({})
  expect(none.lines).toEqual([])
})

test('a queue whose keys something else wrote keeps no other from its limits, and is named', async () => {
  const base = testConfig({ http: false })
  const { url, prefix } = base.redis as { url: string; prefix: string }
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  await redis.set(`${prefix}:{broken}:meta`, 'of something else')
  const said: string[] = []
  const log = keepingLog()
  const warn = (message: string, fields?: object) =>
    void said.push(`${message} ${JSON.stringify(fields)}`)
  const queues = { broken: { maxActive: 1 }, behind: { rate: '5/s' }, last: { maxActive: 7 } }
  const kernel = await kernelOf({ ...base, queues }, { log: { ...log, warn } })
  await kernel.start({ roles: ['producer'] })
  expect((await kernel.operator.queue('behind')).limits).toEqual({ rate: '5/s' })
  expect((await kernel.operator.queue('last')).limits).toEqual({ maxActive: 7 })
  const about = said.filter((line) => line.includes('could not be published whole'))
  expect(about).toHaveLength(1)
  expect(about[0]).toMatch(/limits of broken: the key \S+:meta is not of the type/)

  await redis.del(`${prefix}:{broken}:meta`)
  const limits = async () => (await kernel.operator.queue('broken')).limits
  await until(async () => (await limits())?.maxActive === 1, { describe: 'its limits' })
})

test('tasks that a limit holds say so, and go on when it is taken away', async () => {
  const kernel = await kernelOf(configs()({ rate: '1/h' }))
  await kernel.start({ roles: ['producer', 'worker'] })
  const [first, , last] = await kernel.client.enqueueMany('add', [
    { a: 1, b: 1 },
    { a: 1, b: 2 },
    { a: 1, b: 3 },
  ])
  await kernel.operator.waitFor(first?.id ?? '', 5000)
  const held = await kernel.operator.task(last?.id ?? '')
  expect(held?.why).toMatch(
    /^held by the queue's rate of 1\/h: it may start in 1h 59m at the earliest; 2nd in line/,
  )
  await kernel.operator.limit('default', { rate: null })
  expect(await kernel.operator.waitFor(last?.id ?? '', 5000)).toMatchObject({ result: { sum: 4 } })
})

test('what is no limit is refused, in the config and at run time', async () => {
  await expect(kernelOf(configs()({ rate: 'fast' }))).rejects.toThrow(
    /queues\.default\.rate: "fast" is not a rate; write whole tasks per time, such as 14\/s/,
  )
  await expect(kernelOf(configs()({ maxActive: 0 }))).rejects.toThrow(/queues\.default\.maxActive/)
  await expect(kernelOf(configs()({ rate: '14/s', partitions: 4 }))).rejects.toThrow(
    "queues.default.rate needs partitions: 1, and queue 'default' has 4",
  )
  const kernel = await kernelOf(configs()({ partitions: 2 }))
  await kernel.start({ roles: ['producer'] })
  await expect(kernel.operator.limit('default', { maxActive: 1 })).rejects.toThrow(
    "limits need one partition, and queue 'default' has 2",
  )
  await expect(kernel.operator.limit('default', { rate: '0/s' })).rejects.toMatchObject({
    code: 'bad_option',
    issues: [{ path: 'rate' }],
  })
})

test('queues share worker.concurrency, which must be enough for one task of each', async () => {
  const base = testConfig({ http: false })
  const few = { ...base, queues: { a: {}, b: { partitions: 3 } }, worker: { concurrency: 4 } }
  const kernel = await kernelOf(few)
  await expect(kernel.start({ roles: ['worker'] })).rejects.toThrow(
    'worker.concurrency is 4, and 5 partitions of queues are worked here: each needs one at least',
  )
  const one = await kernelOf({ ...few, queues: { a: { weight: 3 } } })
  await one.start({ roles: ['producer', 'worker'] })
  const [task] = await one.client.enqueueMany('add', [{ a: 1, b: 1 }])
  expect(await one.operator.waitFor(task?.id ?? '', 5000)).toMatchObject({ state: 'completed' })
  const rows = one.explain().map(({ path, value, source }) => `${path} ${value} ${source}`)
  expect(rows).toContain('queues.a.weight 3 config')
  expect(rows).toContain('worker.concurrency 4 config')
})
