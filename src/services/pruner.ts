import type { Broker, Partition, Retention } from '../core/broker.js'
import type { Service } from '../core/service.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { Looks } from './looks.js'

export interface PrunerOptions {
  readonly broker: Broker
  /** Each round goes over those that it has then. */
  readonly partitions: Iterable<{ readonly partition: Partition; readonly retention: Retention }>
  readonly log: Log
  readonly counters: Counters
}

/** Ends what ends by time: ended tasks past their retention, and tasks that were not started in time. */
export function pruner(options: PrunerOptions): Service {
  const { broker, partitions, log, counters } = options
  return new Looks({
    name: 'pruner',
    every: 1000,
    places: partitions,
    partitionOf: ({ partition }) => partition,
    look: async ({ partition, retention }) => {
      const { queue } = partition
      const gone = await broker.prune(partition, retention)
      for (const state of ['completed', 'dead', 'cancelled'] as const) {
        if (gone[state] > 0)
          counters.add('redisdistro_tasks_pruned_total', { queue, state }, gone[state])
      }
      if (gone.dead > 0)
        log.warn('Dead letters past their retention are gone', { queue, count: gone.dead })
      if (gone.expired > 0)
        log.info('Tasks were not started within expiresIn', { queue, count: gone.expired })
    },
    onFailure: (error) =>
      log.warn('The pruner could not look; it tries again', {
        reason: error instanceof Error ? error.message : String(error),
      }),
  })
}
