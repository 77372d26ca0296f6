import { definePlugin, defineTask, FatalError, RetryError } from 'redisdistro'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { kernelOf, testConfig } from '../kernel/stage.js'
import { until } from '../support/redis.js'

type Context = Parameters<Parameters<typeof defineTask>[0]['handle']>[1]
type Handle = (payload: { n: number }, context: Context) => unknown

const retry = { attempts: 3, backoff: 'exponential', delay: 60, jitter: 0 } as const

/** A running kernel with one task type `job`, handled as the test says. */
async function working(handle: Handle, more: { timeout?: string; concurrency?: number } = {}) {
  const payload = z.object({ n: z.number().default(7) })
  const job = defineTask({ type: 'job', payload, retry, timeout: more.timeout, handle })
  const plugins = [definePlugin({ name: 'job', tasks: [job] })]
  const queues = { default: { concurrency: more.concurrency ?? 5 } }
  const config = testConfig({ plugins, queues, http: false, worker: { shutdownGrace: '300ms' } })
  const kernel = await kernelOf(config)
  await kernel.start()
  const add = async (payload: unknown = {}, options = {}) =>
    (await kernel.client.enqueue('job', payload, options)).id
  const ended = (id: string) => kernel.operator.waitFor(id, 10_000)
  return { kernel, add, ended, config }
}

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })

describe('a worker', () => {
  test("completes a task with the schema's defaults and keeps its result", async () => {
    const { add, ended } = await working(({ n }) => ({ n }))
    expect(await ended(await add())).toMatchObject({
      state: 'completed',
      attempt: 1,
      result: { n: 7 },
    })
  })

  test("runs again after the policy's delays, and keeps every error", async () => {
    const { add, ended } = await working((_, { task }) => {
      if (task.attempt < 3) throw new Error(`failure ${task.attempt}`)
      return task.maxAttempts
    })
    const task = await ended(await add())
    expect(task).toMatchObject({ state: 'completed', attempt: 3, result: 3 })
    expect(task?.attempts.map((a) => a.error?.message)).toEqual([
      'failure 1',
      'failure 2',
      undefined,
    ])
    const [first, second, third] = task?.attempts ?? []
    const gap = (a = first, b = second) =>
      Date.parse(b?.startedAt ?? '') - Date.parse(a?.endedAt ?? '')
    expect(gap(first, second)).toBeGreaterThanOrEqual(59)
    expect(gap(second, third)).toBeGreaterThanOrEqual(119)
  })

  test('buries after its last attempt, and a requeued one has all attempts again', async () => {
    let healthy = false
    const { add, ended, kernel } = await working(() => {
      if (!healthy) throw new Error('not yet')
    })
    const id = await add()
    const dead = await ended(id)
    expect(dead).toMatchObject({ state: 'dead', deadLetter: 'dead', attempt: 3 })
    expect(dead?.attempts).toHaveLength(3)
    healthy = true
    expect(await kernel.operator.requeue(id)).toMatchObject({ ok: true, from: 'dead' })
    expect(await ended(id)).toMatchObject({ state: 'completed', attempt: 1 })
  })

  test('a result that JSON cannot hold buries its task and stops no other', async () => {
    const { add, ended } = await working(({ n }) => (n === 1 ? 10n : n))
    const bad = await add({ n: 1 })
    expect(await ended(bad)).toMatchObject({
      state: 'dead',
      attempts: [{ error: { message: expect.stringContaining('cannot be written as JSON') } }],
    })
    expect(await ended(await add({ n: 2 }))).toMatchObject({ state: 'completed', result: 2 })
  })

  test('buries FatalError at once and comes back when RetryError says', async () => {
    const { add, ended } = await working(({ n }, { task }) => {
      if (n === 1) throw new FatalError('never')
      if (task.attempt === 1) throw new RetryError('soon', { after: 5 })
    })
    expect(await ended(await add({ n: 1 }))).toMatchObject({ state: 'dead', attempt: 1 })
    expect(await ended(await add({ n: 2 }))).toMatchObject({ state: 'completed', attempt: 2 })
  })

  test('a cancelled run is told, and its slot is free although it never ends', async () => {
    const reasons: unknown[] = []
    const { add, ended, kernel } = await working(
      async ({ n }, { signal }) => {
        if (n !== 1) return 'next'
        reasons.push(await aborted(signal))
        return new Promise(() => undefined)
      },
      { concurrency: 1 },
    )
    const id = await add({ n: 1 })
    await until(async () => (await kernel.operator.task(id))?.state === 'active')
    expect(await kernel.operator.cancel(id)).toMatchObject({ ok: true, from: 'active' })
    expect(await ended(await add({ n: 2 }))).toMatchObject({ state: 'completed', result: 'next' })
    expect(reasons).toHaveLength(1)
    expect((await kernel.operator.task(id))?.state).toBe('cancelled')
  })

  test('a run past its timeout fails, and its late outcome is not heard', async () => {
    let release: (value: string) => void = () => undefined
    const { add, ended } = await working(
      ({ n }) => (n === 1 ? new Promise((resolve) => (release = resolve)) : 'next'),
      { timeout: '80ms', concurrency: 1 },
    )
    const id = await add({ n: 1 }, { attempts: 1 })
    const dead = await ended(id)
    expect(dead).toMatchObject({ state: 'dead', attempts: [{ error: { code: 'timeout' } }] })
    release('late')
    expect(await ended(await add({ n: 2 }))).toMatchObject({ state: 'completed' })
    expect((await ended(id))?.state).toBe('dead')
  })

  test('gives back unspent what did not end at shutdown, and another kernel runs it', async () => {
    let hangs = true
    const first = await working(() => (hangs ? new Promise(() => undefined) : 'done'), {
      concurrency: 1,
    })
    const ids = [await first.add(), await first.add()]
    await until(async () => (await first.kernel.operator.task(ids[0] ?? ''))?.state === 'active')
    await first.kernel.stop()
    hangs = false
    const second = await kernelOf(first.config)
    await second.start()
    for (const id of ids) {
      const task = await second.operator.waitFor(id, 10_000)
      expect(task).toMatchObject({ state: 'completed', attempt: 1 })
      expect(task?.attempts).toHaveLength(1)
    }
  })

  test('a type that it does not know is set aside unspent until a worker knows it', async () => {
    const first = await working(() => 'done')
    // Nobody who knows it works when it comes.
    await first.kernel.stop()
    const { id } = await (await kernelOf(first.config)).client.enqueue('job', {})
    const bare = await kernelOf(testConfig({ ...first.config, plugins: [] }))
    await bare.start()
    await until(async () => {
      const task = await bare.operator.task(id)
      return task?.state === 'scheduled' && /no worker/.test(task.why ?? '')
    })
    await bare.stop()
    const knowing = await kernelOf(first.config)
    await knowing.start()
    await knowing.operator.promote(id)
    expect(await knowing.operator.waitFor(id, 10_000)).toMatchObject({
      state: 'completed',
      attempt: 1,
    })
  })

  test('a lost lease aborts what runs, and the worker goes on under a new name', async () => {
    const seen: unknown[] = []
    const { add, ended, kernel } = await working(async ({ n }, { signal, task }) => {
      if (n === 1 && seen.length === 0) {
        seen.push(task.fence)
        seen.push(await aborted(signal))
        return 'late'
      }
      return task.fence
    })
    const id = await add({ n: 1 })
    await until(async () => (await kernel.operator.task(id))?.state === 'active')
    const [worker] = await kernel.operator.workers()
    const { Redis } = await import('ioredis')
    const redis = new Redis(kernel.config.redis.url ?? '')
    await redis.zadd(`${kernel.config.redis.prefix}:{default}:workers`, 0, worker?.id ?? '')
    redis.disconnect()
    const task = await ended(id)
    expect(task).toMatchObject({ state: 'completed', attempt: 1 })
    expect(Number(task?.result)).toBeGreaterThan(Number(seen[0]))
    expect(seen[1]).toMatchObject({ code: 'lease_lost' })
  })
})
