import type {
  Broker,
  MinuteCounts,
  Partition,
  PartitionCounts,
  PartitionStats,
} from '../core/broker.js'
import { iso } from '../core/clock.js'
import { type Counts, counterNames, startCounts } from '../core/counts.js'
import { type State, states } from '../core/state.js'
import type { LimitsStatus, QueueStatus, Stats } from './contract.js'
import type { QueueParts } from './locate.js'

const minute = 60_000

/** What one partition says of itself. */
interface Reading {
  readonly counts: PartitionCounts
  readonly stats: PartitionStats
}

type Depth = Record<State, number>

const noDepth = (): Depth => ({
  scheduled: 0,
  waiting: 0,
  active: 0,
  retryable: 0,
  completed: 0,
  dead: 0,
  cancelled: 0,
})

function sumDepths(depths: readonly Readonly<Depth>[]): Depth {
  const sum = noDepth()
  for (const depth of depths) for (const state of states) sum[state] += depth[state]
  return sum
}

function sum(all: readonly MinuteCounts[]): MinuteCounts {
  const total = startCounts()
  for (const counts of all) for (const name of counterNames) total[name] += counts[name]
  return total
}

/** Of all partitions, the minutes from `first` to `last` before the one that Redis is in. */
function minutesOf(readings: readonly Reading[], first: number, last: number): MinuteCounts {
  return sum(
    readings.flatMap(({ counts, stats }) => {
      const current = Math.floor(counts.now / minute)
      return stats.minutes.filter((each) => {
        const age = current - each.minute
        return age >= last && age <= first
      })
    }),
  )
}

const lastWholeMinute = (readings: readonly Reading[]): MinuteCounts => minutesOf(readings, 1, 1)

/** Tasks a second; a run that failed counts whether it is repeated or was the last. */
const ratesOf = (counts: MinuteCounts) => ({
  enqueued: counts.enqueued / 60,
  completed: counts.completed / 60,
  failed: (counts.retried + counts.dead) / 60,
})

/** Minutes back that tell how fast tasks end now. */
export const rateMinutes = 5

/**
 * Tasks that end in a second, in any way, over the last minutes, from the first in which one did;
 * undefined where none did.
 */
export function endRate({ minutes }: PartitionStats, now: number): number | undefined {
  const oldest = Math.floor(now / minute) - rateMinutes
  let [first, ended] = [Number.POSITIVE_INFINITY, 0]
  for (const { minute: at, completed, retried, dead } of minutes) {
    const count = completed + retried + dead
    if (at < oldest || count === 0) continue
    first = Math.min(first, at)
    ended += count
  }
  return ended === 0 ? undefined : (ended * 1000) / Math.max(1000, now - first * minute)
}

function countsOf({ enqueued, completed, retried, dead, cancelled, lost }: MinuteCounts): Counts {
  return { enqueued, completed, retried, dead, cancelled, lost }
}

async function readPart(broker: Broker, part: Partition, minutes: number): Promise<Reading> {
  const [counts, stats] = await Promise.all([broker.counts(part), broker.stats(part, minutes)])
  return { counts, stats }
}

const readParts = (broker: Broker, { parts }: QueueParts, minutes: number): Promise<Reading[]> =>
  Promise.all(parts.map((part) => readPart(broker, part, minutes)))

/** Those of the one partition that a queue with limits has. */
function limitsOf(readings: readonly Reading[]): LimitsStatus {
  const [limits] = readings.flatMap(({ counts }) => counts.limits ?? [])
  if (!limits) return {}
  const { rate, maxActive, differs, said } = limits
  return {
    ...(rate === undefined ? {} : { rate }),
    ...(maxActive === undefined ? {} : { maxActive }),
    ...(differs ? { differs, config: said } : {}),
  }
}

function statusOf({ queue, partitions }: QueueParts, readings: readonly Reading[]): QueueStatus {
  const ages = readings.flatMap(({ counts }) => counts.oldestWaiting ?? [])
  return {
    name: queue,
    paused: readings.some(({ counts }) => counts.paused),
    partitions,
    depth: sumDepths(readings.map(({ counts }) => counts.depth)),
    oldestWaitingAge: ages.length === 0 ? null : Math.max(...ages),
    throughput: ratesOf(lastWholeMinute(readings)),
    workers: readings.reduce((total, { counts }) => total + counts.workers, 0),
    limits: limitsOf(readings),
  }
}

/** What one queue's partitions say, as one. */
export async function queueStatus(broker: Broker, queue: QueueParts): Promise<QueueStatus> {
  return statusOf(queue, await readParts(broker, queue, 2))
}

/** Everything over all queues, at `now` (ms). */
export async function storeStats(
  broker: Broker,
  queues: readonly QueueParts[],
  now: () => number,
): Promise<Stats> {
  const read = await Promise.all(queues.map((queue) => readParts(broker, queue, 61)))
  const all = read.flat()
  const statuses = queues.map((queue, index) => statusOf(queue, read[index] ?? []))
  const hour = minutesOf(all, 59, 0)
  const mean = (ms: number) => (hour.completed === 0 ? null : ms / hour.completed)
  return {
    at: iso(Math.max(...all.map(({ counts }) => counts.now), 0) || now()),
    depth: sumDepths(statuses.map(({ depth }) => depth)),
    workers: statuses.reduce((total, { workers }) => total + workers, 0),
    total: countsOf(sum(all.map(({ stats }) => stats.total))),
    lastMinute: countsOf(lastWholeMinute(all)),
    lastHour: countsOf(hour),
    rates: ratesOf(lastWholeMinute(all)),
    latencies: { wait: mean(hour.waitMs), run: mean(hour.runMs) },
    queues: statuses,
  }
}
