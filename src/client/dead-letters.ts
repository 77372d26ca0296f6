import type { Broker, DeadLetterFilter, Moved, Partition, StoredTask } from '../core/broker.js'
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

/** When those that a filter means died, in ms, both ends included. */
export interface Window {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** A window that what dies later does not fall into. */
export type SettledWindow = Window & { readonly to: number }

/** The times that a filter's ages mean at `now`; nothing that dies later is meant. */
export function windowOf({ olderThan, newerThan }: DeadLetterFilter, now: number): SettledWindow {
  const to = now - (olderThan ?? 0)
  return newerThan === undefined ? { to } : { to, from: now - newerThan }
}

/** True where records must be read to know whether they are meant. */
export const readsRecords = ({ type, error }: DeadLetterFilter): boolean =>
  type !== undefined || error !== undefined

/** Whether a dead letter is of this type and died of this error; queue and age are the walk's business. */
export function deadLetterTest({ type, error }: DeadLetterFilter): (task: StoredTask) => boolean {
  return (task) => {
    if (type !== undefined && task.body.type !== type) return false
    if (error === undefined) return true
    const last = lastError(task)
    if (last === undefined) return error === 'expired'
    return last.code === error || last.message.includes(error)
  }
}

/** Where the newest of a time stand in a list that begins with the newest: before the first of them. */
export const startOf = ({ to }: Window): string | undefined =>
  to === undefined ? undefined : `${to} `

/** What is to be read under one key of one partition. */
export interface DeadRead {
  readonly partition: Partition
  readonly key: string
  readonly filter: DeadLetterFilter
  readonly window: Window
  /** At most so many are read. */
  readonly limit: number
  /** What the read before returned as `next`. */
  readonly after?: string | undefined
}

/** Those of the next dead letters that are meant, and where to go on; the newest first. */
export async function readDead(
  broker: Broker,
  { partition, key, filter, window, limit, after = startOf(window) }: DeadRead,
): Promise<{ tasks: StoredTask[]; next?: string | undefined }> {
  const page = await broker.list(partition, {
    state: 'dead',
    deadLetter: key,
    limit,
    ...(after === undefined ? {} : { after }),
  })
  const matches = deadLetterTest(filter)
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = window
  const within = ({ endedAt = 0 }: StoredTask) => endedAt >= from && endedAt <= to
  const tasks = page.tasks.filter((task) => within(task) && matches(task))
  const past = page.tasks.some(({ endedAt = 0 }) => endedAt < from)
  return { tasks, next: past ? undefined : page.next }
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
  const { key, filter, move, onProgress } = sweep
  const window = windowOf(filter, await broker.now())
  const swept = { moved: 0, refused: 0 }
  for (const partition of sweep.partitions) {
    let after: string | undefined
    do {
      const read = { partition, key, filter, window, limit: chunkSize, after }
      const { tasks, next } = await readDead(broker, read)
      if (tasks.length > 0) {
        const results = await broker[move](
          partition,
          tasks.map(({ id }) => id),
          window.to,
        )
        swept.moved += results.filter(({ ok }) => ok).length
        swept.refused += results.filter(isHeld).length
        onProgress?.(swept.moved)
      }
      after = next
    } while (after !== undefined)
  }
  return swept
}

const isHeld = (result: Moved): boolean => !result.ok && result.reason === 'unique_held'
