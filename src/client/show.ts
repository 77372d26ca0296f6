import type { Broker, Partition, PartitionCounts, StoredTask } from '../core/broker.js'
import type { Task } from '../core/task.js'
import type { Directory } from './contract.js'
import type { Found } from './locate.js'
import { endRate, rateMinutes } from './queue-status.js'
import { taskView } from './task-view.js'

interface Sources {
  readonly broker: Broker
  readonly directory: Directory
}

/** Asks each thing of each partition or type once at most. */
function once<Key, Answer>(ask: (key: Key) => Promise<Answer>): (key: Key) => Promise<Answer> {
  const asked = new Map<Key, Promise<Answer>>()
  return (key) => {
    const answer = asked.get(key) ?? ask(key)
    asked.set(key, answer)
    return answer
  }
}

const hasYetToRun = ({ state }: StoredTask): boolean =>
  state === 'waiting' || state === 'scheduled' || state === 'retryable'

/** Tasks with the words why they do not run. */
export async function showTasks(
  { broker, directory }: Sources,
  found: readonly Found[],
): Promise<Task[]> {
  const countsOf = once((partition: Partition) => broker.counts(partition))
  const statsOf = once((partition: Partition) => broker.stats(partition, rateMinutes + 1))
  const entryOf = once((type: string) => directory.type(type))
  // Where the catalogue cannot be read, nobody is told that a type is unknown.
  const isPublished = once((type: string) => directory.published(type).catch(() => true))
  const rateOf = async ({ partition, task }: Found, { now, paused, workers }: PartitionCounts) => {
    if (task.state !== 'waiting' || !task.position || paused || workers === 0) return undefined
    return endRate(await statsOf(partition), now)
  }
  return await Promise.all(
    found.map(async (each) => {
      const { partition, task } = each
      const { queue } = partition
      if (!hasYetToRun(task)) return taskView(task, { now: 0, queue, paused: false, workers: 0 })
      const { type } = task.body
      const counts = await countsOf(partition)
      const { depth, limits, now } = counts
      const entry = await entryOf(type)
      return taskView(task, {
        ...counts,
        queue,
        attempts: entry?.attempts,
        known: task.broken !== undefined || entry !== undefined || (await isPublished(type)),
        rate: await rateOf(each, counts),
        limited: limits && { limits, active: depth.active, now },
      })
    }),
  )
}
