import { type Config, definePlugin, defineTask } from 'redisdistro'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { testPrefix } from '../support/redis.js'
import { kernelOf } from './stage.js'

/** Tasks in one call. */
export const batch = 20
/** Parts of the queue that the load goes to. */
export const partitions = 6

/**
 * A running kernel with a partitioned queue `wide`, into which batches of tasks are enqueued one
 * after another until `finish`; `ran` holds the numbers of those that ran, and `acknowledged` of
 * those whose enqueue was answered.
 */
export async function underLoad(redis: NonNullable<Config['redis']>) {
  const prefix = testPrefix()
  const ran = new Set<number>()
  const acknowledged: number[] = []
  const failures: unknown[] = []
  const payload = z.object({ n: z.number() })
  const handle = ({ n }: { n: number }) => void ran.add(n)
  const job = defineTask({ type: 'job', queue: 'wide', payload, handle })
  const kernel = await kernelOf({
    redis: { ...redis, prefix },
    plugins: [definePlugin({ name: 'job', tasks: [job] })],
    queues: { wide: { partitions, retention: { completed: { count: 1_000_000 } } } },
    http: { port: 0 },
    worker: { lease: '3s' },
  })
  const { url = '' } = await kernel.start()
  let finished = false
  const load = (async () => {
    for (let next = 0; !finished; next += batch) {
      const numbers = Array.from({ length: batch }, (_, i) => next + i)
      try {
        await kernel.client.enqueueMany(
          'job',
          numbers.map((n) => ({ n })),
        )
        acknowledged.push(...numbers)
      } catch (error) {
        failures.push(error)
      }
    }
  })()
  const finish = () => {
    finished = true
    return load
  }
  onTestFinished(finish)
  const drained = async () => {
    const { depth } = await kernel.operator.queue('wide')
    return depth.waiting + depth.active + depth.dead === 0
  }
  const missing = () => acknowledged.filter((n) => !ran.has(n)).length
  return { prefix, url, ran, acknowledged, failures, missing, drained, finish }
}
