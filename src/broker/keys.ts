import type { Partition } from '../core/broker.js'
import { tagOf } from '../core/partition.js'

/**
 * The keys of one partition, `<prefix>:{<queue>}:<name>`. All share a hash tag, so that one script
 * may touch them all on a Redis Cluster.
 */
export const keyNames = [
  /** hash id → header line and body; written once, but for a due time that a person made untrue */
  'tasks',
  /** zset id → level and sequence in one score */
  'waiting',
  /** zset id → due ms, with the level in quarters of a ms */
  'scheduled',
  /** zset id → due ms, with the level in quarters of a ms */
  'retryable',
  /** hash id → `fence score worker` */
  'active',
  /** zset worker → lease expiry ms; 0 where it is marked dead */
  'workers',
  /** hash worker → JSON of what it tells of itself */
  'details',
  /** hash worker → ids and fences to stop, one a line */
  'orders',
  /** hash id → `failures losses deaths mismatchSince`, then one JSON line for each ended attempt */
  'attempts',
  /** zset id → ended ms */
  'completed',
  /** zset id → ended ms; `dead:<key>` beside it for each dead-letter key */
  'dead',
  /** set of the dead-letter keys in use */
  'deadLetters',
  /** zset id → ended ms */
  'cancelled',
  /** hash id → `startedAt attempt`, then the result's JSON, then the progress told last */
  'results',
  /** hash id → JSON, of tasks that have not completed */
  'progress',
  /** hash id → fingerprint of a caller's own id's payload, and the state it ended in */
  'own',
  /** zset id → ms when an ended own id is forgotten */
  'ownUntil',
  /** hash unique key → `id until`; until 0 means as long as the task has not ended */
  'unique',
  /** zset unique key → ms */
  'uniqueUntil',
  /** zset id → ms by which it must have started */
  'expiring',
  /** hash `<minute>:<counter>` or `total:<counter>` → count */
  'stats',
  /** list of wake-up marks; at most one */
  'wake',
  /**
   * hash: seq, fence, paused, listen (ms until when moves are told), rescuedAt, auditedAt, statsFrom,
   * confirmed, workerless, limit, limitSaid, bucket, quiet
   */
  'meta',
  /** there while somebody listens to the moves; goes by its TTL */
  'listen',
  /** stream of the moves that were told; goes by its TTL */
  'events',
  /** hash id → `holder state stopping endedAt`, then JSON of a bulk job; in the tag `jobs` alone */
  'jobs',
  /** zset id of a running job → ms until when it is held; in the tag `jobs` alone */
  'jobsHeld',
] as const

export type KeyName = (typeof keyNames)[number]
export type PartitionKeys = Readonly<Record<KeyName, string>>

const cache = new Map<string, PartitionKeys>()

/** The keys of a partition; made once for each. */
export function partitionKeys(prefix: string, partition: Partition): PartitionKeys {
  const tag = tagOf(partition)
  const cached = cache.get(`${prefix} ${tag}`)
  if (cached) return cached
  const entries = keyNames.map((name) => [name, `${prefix}:{${tag}}:${name}`])
  const keys = Object.fromEntries(entries) as PartitionKeys
  cache.set(`${prefix} ${tag}`, keys)
  return keys
}
