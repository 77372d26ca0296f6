import type { Broker, Partition, StoredTask } from '../core/broker.js'
import { idPattern } from '../core/enqueue-options.js'
import { RedisDistroError } from '../core/errors.js'
import type { Directory, KnownQueue } from './contract.js'
import { formerParts, partitionsOf, placesOf } from './placement.js'

/** A queue and its parts, those of former numbers of partitions last. */
export interface QueueParts extends KnownQueue {
  readonly parts: readonly Partition[]
}

/** A task and where it lies. */
export interface Found {
  readonly partition: Partition
  readonly task: StoredTask
}

/** The queue of this name, or all. @throws RedisDistroError `unknown_queue` that names the known */
export async function queueParts(
  directory: Directory,
  name: string | undefined,
): Promise<QueueParts[]> {
  const known = await directory.queues()
  const parts = known.map((each) => ({
    ...each,
    parts: [...partitionsOf(each.queue, each.partitions), ...formerParts(each)],
  }))
  if (name === undefined) return parts
  const real = directory.realName(name)
  const found = parts.filter(({ queue }) => queue === real)
  if (found.length > 0) return found
  const names = known.map(({ queue }) => queue).join(', ')
  throw new RedisDistroError('unknown_queue', `no queue '${name}'; there are ${names}`)
}

/** Where a task of this id may lie; every part where no id is named. */
export const partsFor = (queues: readonly QueueParts[], id: string | undefined): Partition[] =>
  queues.flatMap((each) => (id === undefined ? each.parts : placesOf(each, id)))

/** The tasks of an id: at most one in each queue, looked up in one partition of each layout of it. */
export async function findEverywhere(
  broker: Broker,
  id: string,
  queues: readonly QueueParts[],
): Promise<Found[]> {
  if (!idPattern.test(id)) return []
  const found = await Promise.all(
    partsFor(queues, id).map(async (partition) => {
      const [task] = await broker.find(partition, [id])
      return task === undefined ? [] : [{ partition, task }]
    }),
  )
  return found.flat()
}
