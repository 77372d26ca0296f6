import { formerParts, partitionsOf } from '../client/placement.js'
import type { Broker, Layout, Partition, PartitionCounts } from '../core/broker.js'
import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

type Queues = ResolvedConfig['queues']

/** ms within which somebody may still enqueue by a number of partitions that was published. */
const inUseFor = 90_000

/** A partition by a number that the config has no more. */
export interface FormerPart {
  readonly partition: Partition
  /** Whether it needs a worker: it holds tasks that have not ended, or may get some. */
  readonly working: boolean
}

const unended = ({ depth }: PartitionCounts): number =>
  depth.waiting + depth.scheduled + depth.retryable + depth.active

const isEmpty = (counts: PartitionCounts): boolean =>
  counts.remembered === 0 && Object.values(counts.depth).every((count) => count === 0)

/** The layouts of one queue that are not the config's. */
const formerOf = (layouts: readonly Layout[], queue: string, partitions: number) =>
  layouts.filter((each) => each.queue === queue && each.partitions !== partitions)

/**
 * Looks at what lies by former numbers of partitions of these queues. A number that nobody publishes
 * any more and nothing lies by is forgotten.
 */
export async function lookAtFormer(broker: Broker, queues: Queues): Promise<FormerPart[]> {
  const layouts = await broker.layouts()
  const found: FormerPart[] = []
  for (const [queue, { partitions }] of queues) {
    const former = formerOf(layouts, queue, partitions)
    if (former.length === 0) continue
    const numbers = former.map((each) => each.partitions)
    const parts = formerParts({ queue, partitions, former: numbers })
    const counts = await Promise.all(parts.map((partition) => broker.counts(partition)))
    const now = await broker.now()
    const inUse = former.some(({ publishedAt }) => now - publishedAt < inUseFor)
    for (const [index, partition] of parts.entries()) {
      const count = counts[index]
      const working = inUse || (count !== undefined && unended(count) > 0)
      found.push({ partition, working })
    }
    if (!inUse && counts.every(isEmpty)) {
      await Promise.all(former.map((layout) => broker.forgetLayout(layout)))
    }
  }
  return found
}

/**
 * Before this config's numbers of partitions are published: a number that is new for its queue is
 * told of, and its partitions are paused where the queue was. Resolves with whether all of them were
 * published already.
 */
export async function adoptLayouts(broker: Broker, queues: Queues, log: Log): Promise<boolean> {
  const layouts = await broker.layouts()
  let all = true
  for (const [queue, { partitions }] of queues) {
    const known = layouts.filter((each) => each.queue === queue)
    if (known.some((each) => each.partitions === partitions)) continue
    all = false
    if (known.length === 0) continue
    const before = known.map((each) => each.partitions)
    const parts = before.flatMap((of) => partitionsOf(queue, of))
    const counts = await Promise.all(parts.map((partition) => broker.counts(partition)))
    const left = counts.reduce((sum, count) => sum + unended(count), 0)
    log.warn(
      'A queue has another number of partitions than before; tasks of the former ones are worked too',
      { queue, partitions, before, left },
    )
    if (!counts.some(({ paused }) => paused)) continue
    await Promise.all(partitionsOf(queue, partitions).map((each) => broker.pause(each, true)))
  }
  return all
}
