import type { Broker, Partition, PartitionCounts } from '../core/broker.js'
import type { Task } from '../core/task.js'
import type { Directory } from './contract.js'
import type { Found } from './locate.js'
import { taskView } from './task-view.js'

/** Tasks with the words why they do not run; each partition is asked how it is once at most. */
export async function showTasks(
  { broker, directory }: { readonly broker: Broker; readonly directory: Directory },
  found: readonly Found[],
): Promise<Task[]> {
  const asked = new Map<Partition, Promise<PartitionCounts>>()
  const countsOf = (partition: Partition) => {
    const counts = asked.get(partition) ?? broker.counts(partition)
    asked.set(partition, counts)
    return counts
  }
  return await Promise.all(
    found.map(async ({ partition, task }) => {
      const { queue } = partition
      const needed =
        task.state === 'waiting' || task.state === 'scheduled' || task.state === 'retryable'
      if (!needed) return taskView(task, { now: 0, queue, paused: false, workers: 0 })
      const { now, paused, workers, depth, limits } = await countsOf(partition)
      const entry = task.state === 'retryable' ? await directory.type(task.body.type) : undefined
      const limited = limits && { limits, active: depth.active, now }
      return taskView(task, { now, queue, paused, workers, attempts: entry?.attempts, limited })
    }),
  )
}
