import type { Broker, DeadLetterFilter, DeadSpan, Partition } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { PurgePreview } from './bulk-contract.js'
import { readDead, readsRecords, type Window, windowOf } from './dead-letters.js'

const sampleSize = 10
/** Records in one look. */
const lookSize = 250

interface Meant {
  readonly key: string
  readonly partitions: readonly Partition[]
  readonly filter: DeadLetterFilter
}

interface Found extends DeadSpan {
  readonly ids: readonly string[]
}

/** By counting alone, and a look at the first few. */
async function countPart(
  broker: Broker,
  partition: Partition,
  { key, filter, window }: Meant & { readonly window: Window },
): Promise<Found> {
  const span = await broker.deadSpan(partition, { deadLetter: key, ...window })
  const read = { partition, key, filter, window, limit: sampleSize }
  const { tasks } = await readDead(broker, read)
  return { ...span, ids: tasks.map(({ id }) => id) }
}

/** By reading them all. */
async function readPart(
  broker: Broker,
  partition: Partition,
  { key, filter, window }: Meant & { readonly window: Window },
): Promise<Found> {
  const ids: string[] = []
  const ends: number[] = []
  let count = 0
  let after: string | undefined
  do {
    const read = { partition, key, filter, window, limit: lookSize, after }
    const { tasks, next } = await readDead(broker, read)
    count += tasks.length
    ids.push(...tasks.slice(0, sampleSize - ids.length).map(({ id }) => id))
    const [first, last] = [tasks[0]?.endedAt, tasks.at(-1)?.endedAt]
    if (first !== undefined && last !== undefined) ends.push(first, last)
    after = next
  } while (after !== undefined)
  if (ends.length === 0) return { count, ids }
  return { count, ids, newest: Math.max(...ends.slice(0, 2)), oldest: ends.at(-1) ?? 0 }
}

/** What a purge would take now, and nothing of it is touched. */
export async function previewPurge(broker: Broker, meant: Meant): Promise<PurgePreview> {
  const window = windowOf(meant.filter, await broker.now())
  const look = readsRecords(meant.filter) ? readPart : countPart
  const parts = await Promise.all(
    meant.partitions.map((partition) => look(broker, partition, { ...meant, window })),
  )
  const oldest = parts.flatMap((part) => part.oldest ?? [])
  const newest = parts.flatMap((part) => part.newest ?? [])
  return {
    wouldPurge: parts.reduce((sum, { count }) => sum + count, 0),
    oldest: oldest.length === 0 ? null : iso(Math.min(...oldest)),
    newest: newest.length === 0 ? null : iso(Math.max(...newest)),
    sample: parts.flatMap(({ ids }) => ids).slice(0, sampleSize),
  }
}
