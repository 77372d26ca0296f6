import { Redis } from 'ioredis'
import { type Config, defineConfig, definePlugin, defineTask, type Kernel } from 'redisdistro'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { testRedisUrl, until } from '../support/redis.js'
import { keepingLog, kernelOf, testConfig } from './stage.js'

const note = defineTask({
  type: 'note',
  payload: z.object({ n: z.number(), deep: z.object({ a: z.string() }).optional() }),
  handle: ({ n }) => n,
})
const plugin = definePlugin({ name: 'notes', tasks: [note] })

type Schedules = NonNullable<Config['schedules']>

const hourly = { task: 'note', cron: '0 * * * *', payload: { n: 1 } } as const

const configOf = (schedules: Schedules, more: Config = {}): Config =>
  testConfig({ plugins: [plugin], schedules, ...more })

const refusal = async (schedules: Schedules) =>
  await kernelOf(configOf(schedules)).then(
    () => [],
    (error) => error.issues.map(({ path, message }: never) => `${path}: ${message}`),
  )

describe('a schedule in the config', () => {
  test.each<[Schedules, RegExp]>([
    [
      { a: { ...hourly, task: 'none' } },
      /^schedules\.a\.task: no task type 'none'; there are note/,
    ],
    [{ a: { ...hourly, payload: { n: 'x' } } }, /^schedules\.a\.payload\.n: /],
    [{ a: { ...hourly, payload: { n: 1, deep: {} } } }, /^schedules\.a\.payload\.deep\.a: /],
    [
      { a: { ...hourly, options: { queue: 'none' } } },
      /^schedules\.a\.options\.queue: no queue 'none'; there are default/,
    ],
    [{ a: { task: 'note' } }, /^schedules\.a\.cron: .*is wanted, or every/],
    [{ a: { ...hourly, cron: 'daily' } }, /^schedules\.a\.cron: "daily" is not a cron expression/],
    [{ 'a b': hourly }, /^schedules\.a b: /],
    [{ a: { ...hourly, evry: '1m' } } as never, /^schedules\.a\.evry: .*did you mean 'every'/],
  ])('is refused at boot where it cannot be: %j', async (schedules, words) => {
    expect((await refusal(schedules)).join('\n')).toMatch(words)
  })

  test('is shown by config print', async () => {
    const kernel = await kernelOf(configOf({ a: hourly }))
    const rows = kernel.explain().filter(({ path }) => path.startsWith('schedules.a.'))
    expect(rows).toContainEqual({ path: 'schedules.a.cron', value: '0 * * * *', source: 'config' })
    expect(rows).toContainEqual({ path: 'schedules.a.overlap', value: 'skip', source: 'default' })
  })
})

test('a compiler knows its task types and their payloads', () => {
  const plugins = [plugin]
  defineConfig({ plugins, schedules: { a: { task: 'note', every: '1m', payload: { n: 1 } } } })
  // @ts-expect-error there is no such task type
  defineConfig({ plugins, schedules: { a: { task: 'none', every: '1m', payload: { n: 1 } } } })
  // @ts-expect-error n is a number
  defineConfig({ plugins, schedules: { a: { task: 'note', every: '1m', payload: { n: 'x' } } } })
  defineConfig({
    plugins: ['./by-path.js', plugin],
    schedules: { a: { task: 'what the path defines', every: '1m' } },
  })
})

/** Starts a kernel over the config's store, lends it, and stops it. */
async function once<Result>(
  config: Config,
  use: (kernel: Kernel) => Promise<Result>,
): Promise<{ result: Result; lines: readonly string[] }> {
  const log = keepingLog()
  const kernel = await kernelOf({ ...config, http: false }, { log })
  await kernel.start({ roles: ['producer'] })
  const result = await use(kernel)
  await kernel.stop()
  return { result, lines: log.lines.filter((line) => /schedule/i.test(line)) }
}

describe('at the start of a kernel', () => {
  const list = async ({ schedules }: Kernel) => (await schedules.list()).items

  test('what is new is added, what changed is updated, what left is retired', async () => {
    const first = configOf({ a: hourly, b: hourly })
    expect((await once(first, list)).result).toMatchObject([
      { id: 'a', state: 'active', source: 'config', tz: 'UTC', runs: 0 },
      { id: 'b', state: 'active' },
    ])
    const second = { ...first, schedules: { b: { ...hourly, cron: '5 * * * *' }, c: hourly } }
    const { result } = await once(second, list)
    expect(result).toMatchObject([{ id: 'b', cron: '5 * * * *' }, { id: 'c' }])
    expect(result[0]?.nextRunAt).toMatch(/:05:00\.000Z$/)
  })

  test('what another service has in the same store is left alone', async () => {
    const first = configOf({ a: hourly }, { telemetry: { service: 'one' } })
    await once(first, list)
    const other = { ...first, schedules: { b: hourly }, telemetry: { service: 'two' } }
    expect((await once(other, list)).result).toMatchObject([{ id: 'a' }, { id: 'b' }])
  })

  test('what was made at run time stays, and so does an edit, which is shown', async () => {
    const config = configOf({ a: hourly })
    await once(config, async ({ schedules }) => {
      await schedules.put('mine', hourly)
      await schedules.put('a', { ...hourly, cron: '30 * * * *', limit: 5 })
    })
    const { result, lines } = await once(config, list)
    expect(result).toMatchObject([
      { id: 'a', cron: '30 * * * *', limit: 5, source: 'config', differs: ['cron', 'limit'] },
      { id: 'mine', source: 'runtime' },
    ])
    expect(lines).toEqual(['A schedule was edited at run time, and stays so'])
    const changed = { ...config, schedules: { a: { ...hourly, cron: '15 * * * *' } } }
    const after = await once(changed, list)
    expect(after.result[0]).toMatchObject({ cron: '15 * * * *' })
    expect(after.result[0]).not.toHaveProperty('differs')
    expect(after.lines).toEqual([
      'A schedule changed in the config, which replaces an edit made at run time',
    ])
  })

  test('what a person paused stays paused, and what one removed stays away', async () => {
    const config = configOf({ a: hourly, b: hourly })
    await once(config, async ({ schedules }) => {
      await schedules.pause('a')
      await schedules.remove('b')
    })
    const { result, lines } = await once(config, list)
    expect(result).toMatchObject([{ id: 'a', state: 'paused' }])
    expect(lines).toEqual(['A schedule of the config was removed at run time, and stays so'])
    const back = await once(config, ({ schedules }) => schedules.put('b', hourly))
    expect(back.result).toMatchObject({ created: true, schedule: { id: 'b', source: 'config' } })
  })

  test('one that was removed begins anew, whoever brings it back', async () => {
    const config = configOf({ a: { ...hourly, limit: 1 }, b: hourly })
    const ran = async ({ schedules, config: { redis } }: Kernel) => {
      const store = new Redis(testRedisUrl())
      const state = `${redis.prefix}:{schedules}:state`
      for (const id of ['a', 'b']) {
        await schedules.run(id)
        await store.hset(state, `${id} runs`, 1, `${id} last`, `3600000 ${id}:x`)
        await schedules.remove(id)
      }
      store.disconnect()
      return (await schedules.put('a', { ...hourly, limit: 1 })).schedule
    }
    const { result } = await once(config, ran)
    expect(result).toMatchObject({ state: 'active', runs: 0, source: 'config' })
    expect(result).not.toHaveProperty('lastRunAt')
    const changed = { ...config, schedules: { ...config.schedules, b: { ...hourly, limit: 1 } } }
    const both = ({ schedules }: Kernel) => Promise.all(['a', 'b'].map((id) => schedules.get(id)))
    for (const schedule of (await once(changed, both)).result) {
      expect(schedule).toMatchObject({ state: 'active', runs: 0, history: [] })
    }
  })

  test('more schedules than a page are all made to fit', async () => {
    const idsFrom = (from: number) => Array.from({ length: 230 }, (_, i) => `s${from + i}`)
    const of = (ids: readonly string[]) => Object.fromEntries(ids.map((id) => [id, hourly]))
    const config = configOf(of(idsFrom(0)))
    const all = async ({ schedules }: Kernel) => (await schedules.list({ limit: 1000 })).items
    expect((await once(config, all)).result).toHaveLength(230)
    const { result } = await once({ ...config, schedules: of(idsFrom(115)) }, all)
    expect(result.map(({ id }) => id)).toEqual(idsFrom(115).sort())
  })

  test('and again where the store was emptied while it runs', async () => {
    const config = configOf({ a: hourly })
    const kernel = await kernelOf({ ...config, http: false })
    await kernel.start({ roles: ['producer'] })
    const redis = new Redis(testRedisUrl())
    onTestFinished(() => redis.disconnect())
    await redis.del(await redis.keys(`${kernel.config.redis.prefix}:*`))
    expect(await list(kernel)).toEqual([])
    await until(async () => (await list(kernel)).length === 1)
  })

  test('many at once add each schedule once', async () => {
    const config = configOf({ a: hourly, b: hourly })
    const all = await Promise.all(Array.from({ length: 5 }, () => once(config, list)))
    for (const { result } of all) expect(result.map(({ id }) => id)).toEqual(['a', 'b'])
  })
})

test('a worker enqueues each tick, and runs it', async () => {
  const config = configOf({
    beat: { task: 'note', every: '1s', payload: { n: 1 }, overlap: 'allow' },
  })
  const kernel = await kernelOf(config)
  await kernel.start({ roles: ['worker'] })
  const ran = async () => {
    const { history = [] } = await kernel.schedules.get('beat')
    return history.length >= 2 && history
  }
  const history = await until(ran)
  const task = await until(async () => {
    const found = await kernel.client.task(history[1]?.taskId ?? '')
    return found?.state === 'completed' && found
  })
  expect(task.id).toMatch(/^beat:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(Date.parse(history[0]?.tick ?? '') - Date.parse(history[1]?.tick ?? '')).toBe(1000)
})
