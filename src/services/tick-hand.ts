import type { PluginClient } from '../core/enqueuer.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Task } from '../core/task.js'

/** What a kernel claims and enqueues ticks with. */
export interface TickHand {
  readonly client: PluginClient
  /** The queue that a task type has here. */
  queueOf(type: string): string | undefined
}

/** A tick's task; undefined where it is not known, or not even its queue, which was renamed. */
export async function taskOf(
  client: PluginClient,
  id: string,
  queue: string | undefined,
): Promise<Task | undefined> {
  try {
    return await client.task(id, queue)
  } catch (error) {
    if (isRedisDistroError(error) && error.code === 'unknown_queue') return undefined
    throw error
  }
}

/** Whether Redis is away, full or slow, and the same may succeed later. */
export const isPassing = (error: unknown): boolean =>
  isRedisDistroError(error) && error.family === 'infrastructure' && error.code !== 'internal'
