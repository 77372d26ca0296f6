import type { Broker } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import { type LimitsChange, limitsChangeSchema } from '../core/limits.js'
import type { Directory, QueueStatus } from './contract.js'
import { type QueueParts, queueParts } from './locate.js'
import { queueStatus } from './queue-status.js'

type Act = (broker: Broker, queue: QueueParts) => Promise<void>

/** Pauses or resumes every part of a queue. */
export const paused =
  (on: boolean): Act =>
  async (broker, { parts }) => {
    await Promise.all(parts.map((part) => broker.pause(part, on)))
  }

function checked(change: LimitsChange): LimitsChange {
  const result = limitsChangeSchema.safeParse(change)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }))
  const words = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new RedisDistroError('bad_option', words, { issues })
}

/**
 * Changes what a queue may do at most, over all processes. Refused with `bad_option` where a value is no
 * limit, or the queue has several partitions: what is counted over a whole queue lies in one place.
 */
export const limited =
  (change: LimitsChange): Act =>
  async (broker, { queue, partitions }) => {
    const limits = checked(change)
    if (partitions !== 1) {
      const words = `limits need one partition, and queue '${queue}' has ${partitions}`
      throw new RedisDistroError('bad_option', words)
    }
    await broker.limit({ queue, index: 0, of: 1 }, limits)
  }

/** Does something to a queue, and tells how it then is. @throws RedisDistroError `unknown_queue` */
export async function atQueue(
  { broker, directory }: { readonly broker: Broker; readonly directory: Directory },
  name: string,
  act?: Act,
): Promise<QueueStatus> {
  const [queue] = await queueParts(directory, name)
  if (queue === undefined) throw new RedisDistroError('unknown_queue', `no queue '${name}'`)
  await act?.(broker, queue)
  return await queueStatus(broker, queue)
}
