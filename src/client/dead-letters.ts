import type { Broker, Moved, Partition, StoredTask } from '../core/broker.js'
import type { DeadLetterFilter } from './contract.js'
import { lastError } from './why.js'

/** Dead letters moved in one script call: a sweep over many holds up nobody. */
const chunkSize = 100

/** Keys with the number of tasks under them, over all partitions. */
export async function deadLetterKeys(
  broker: Broker,
  partitions: readonly Partition[],
): Promise<{ key: string; count: number }[]> {
  const lists = await Promise.all(partitions.map((partition) => broker.deadLetters(partition)))
  const counts = new Map<string, number>()
  for (const { key, count } of lists.flat()) counts.set(key, (counts.get(key) ?? 0) + count)
  return [...counts]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, count]) => ({ key, count }))
}

/** Whether a dead letter is of this type and died of this error; its queue is the walk's business. */
export function deadLetterTest({ type, error }: DeadLetterFilter): (task: StoredTask) => boolean {
  return (task) => {
    if (type !== undefined && task.body.type !== type) return false
    if (error === undefined) return true
    const last = lastError(task)
    if (last === undefined) return error === 'expired'
    return last.code === error || last.message.includes(error)
  }
}

export interface Sweep {
  readonly key: string
  readonly partitions: readonly Partition[]
  readonly filter: DeadLetterFilter
  readonly move: 'requeue' | 'erase'
  readonly onProgress?: ((done: number) => void) | undefined
}

/** How many were moved, and how many were not since another task holds their unique key. */
export interface Swept {
  readonly moved: number
  readonly refused: number
}

/**
 * Moves the dead letters that lay under a key when it began, chunk by chunk. What dies anew
 * meanwhile stays, or one that fails at once would be sent round and round.
 */
export async function sweepDeadLetters(broker: Broker, sweep: Sweep): Promise<Swept> {
  const start = await broker.now()
  const matches = deadLetterTest(sweep.filter)
  const isMeant = (task: StoredTask) => (task.endedAt ?? 0) <= start && matches(task)
  let done = 0
  let refused = 0
  for (const partition of sweep.partitions) {
    // What was moved may have shifted those behind it: again, until a pass finds none to move.
    for (;;) {
      const pass = await passOver(broker, { ...sweep, partition, isMeant }, (count) => {
        done += count
        sweep.onProgress?.(done)
      })
      if (pass.moved > 0) continue
      refused += pass.refused
      break
    }
  }
  return { moved: done, refused }
}

interface Pass extends Sweep {
  readonly partition: Partition
  isMeant(task: StoredTask): boolean
}

async function passOver(
  broker: Broker,
  { key, partition, move, isMeant }: Pass,
  tell: (count: number) => void,
): Promise<Swept> {
  let moved = 0
  let refused = 0
  let after: string | undefined
  do {
    const page = await broker.list(partition, {
      state: 'dead',
      deadLetter: key,
      limit: chunkSize,
      ...(after === undefined ? {} : { after }),
    })
    const ids = page.tasks.filter(isMeant).map(({ id }) => id)
    if (ids.length > 0) {
      const results = await moveAll(broker, move)(partition, ids)
      const count = results.filter(({ ok }) => ok).length
      moved += count
      refused += results.filter((result) => !result.ok && result.reason === 'unique_held').length
      tell(count)
    }
    after = page.next
  } while (after !== undefined)
  return { moved, refused }
}

function moveAll(
  broker: Broker,
  move: 'requeue' | 'erase',
): (partition: Partition, ids: readonly string[]) => Promise<Moved[]> {
  return (partition, ids) =>
    move === 'requeue' ? broker.requeue(partition, ids) : broker.erase(partition, ids)
}
