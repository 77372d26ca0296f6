import type { Broker, Partition } from '../core/broker.js'
import type { Life } from '../core/life.js'
import { tagOf } from '../core/partition.js'
import type { Service } from '../core/service.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { Looks } from './looks.js'

export interface RescuerOptions {
  readonly broker: Broker
  /** Partitions that this process works, those that it has then; each has its own look. */
  readonly partitions: Iterable<Partition>
  /** ms. */
  readonly lease: number
  /** Processes that are no more, whatever their leases say; none if left out. */
  readonly gone?: () => readonly Life[]
  readonly log: Log
  readonly counters: Counters
}

/**
 * Gives tasks of dead workers back. It looks at each partition at least twice in half a lease, since a longer gap
 * means to everyone that Redis, or all of us, were away, and prolongs every lease once.
 */
export function rescuer(options: RescuerOptions): Service {
  const { broker, partitions, lease, gone = () => [], log, counters } = options
  /** By a partition's tag, who of those that are gone was told of. */
  const told = new Map<string, readonly Life[]>()
  return new Looks({
    name: 'rescuer',
    every: Math.max(25, Math.min(1000, lease / 5)),
    places: partitions,
    partitionOf: (partition) => partition,
    look: async (partition) => {
      const tag = tagOf(partition)
      const all = gone()
      const before = told.get(tag) ?? []
      const fresh = all.filter((life) => !before.includes(life))
      const { workers, rescued, buried } = await broker.rescue(partition, lease, fresh)
      told.set(tag, all)
      if (rescued === 0 && workers.length === 0) return
      const { queue } = partition
      log.warn('Workers lost their lease; their tasks are back in line', {
        queue,
        workers,
        rescued,
        buried,
      })
      counters.add('redisdistro_tasks_rescued_total', { queue }, rescued)
    },
    onFailure: (error) =>
      log.warn('The rescuer could not look; it tries again', { reason: wordsOf(error) }),
  })
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
