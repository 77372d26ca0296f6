import type { Broker } from '../core/broker.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

/** How many tasks of a queue wait for a worker, over all its partitions. */
async function tasksLeft(broker: Broker, queue: string, partitions: number): Promise<number> {
  let left = 0
  for (let index = 0; index < partitions; index += 1) {
    const { depth } = await broker.counts({ queue, index, of: partitions })
    left += depth.waiting + depth.scheduled + depth.retryable + depth.active
  }
  return left
}

/**
 * Warns of queues and task types that kernels have published and this config does not have: what
 * they hold stays, and is worked by whoever knows them. An absent Redis is told of elsewhere.
 */
export async function warnOfLeftovers(
  config: Pick<ResolvedConfig, 'queues' | 'tasks'>,
  broker: Broker,
  log: Log,
): Promise<void> {
  try {
    const { queues, types } = await broker.catalogue()
    for (const { queue, partitions } of queues) {
      if (config.queues.has(queue)) continue
      const left = await tasksLeft(broker, queue, partitions)
      if (left > 0) log.warn('A queue that is not in the config holds tasks', { queue, left })
    }
    for (const { type, queue } of types) {
      if (config.tasks.has(type)) continue
      log.warn('A task type that is not in the config is known to the store', { type, queue })
    }
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
  }
}
