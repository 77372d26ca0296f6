import type { Broker, Catalogue } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import type { Service } from '../core/service.js'
import { Rounds } from '../services/round.js'
import type { Log } from '../telemetry/log.js'
import { adoptLayouts } from './layouts.js'
import type { ResolvedConfig } from './resolved-config.js'
import { sayLimits } from './say-limits.js'

/** Between two looks whether the store still has the catalogue, in ms: it may have been emptied. */
const lookEvery = 2000
/** Between two publications, in ms: who reads them sees that somebody still works by them. */
const publishEvery = 30_000

export interface PublisherParts {
  readonly broker: Broker
  readonly queues: ResolvedConfig['queues']
  readonly catalogue: Catalogue
  readonly log: Log
  /** Makes the store's schedules those of the config; false where it could not. */
  reconcile(): Promise<boolean>
}

/**
 * Publishes what this kernel knows, for clients without a config, and keeps it in the store. Limits are
 * said once, at the start and where the store was emptied; so are schedules.
 */
export function publisher(parts: PublisherParts): Service {
  const { broker, queues, catalogue, log } = parts
  let publishedAt = Number.NEGATIVE_INFINITY
  const limitsSaid = new Set<string>()
  let reconciled = false
  return new Rounds({
    name: 'publisher',
    every: lookEvery,
    round: async () => {
      const known = await adoptLayouts(broker, queues, log)
      const now = systemClock.monotonic()
      if (!known) {
        limitsSaid.clear()
        reconciled = false
      }
      if (!known || now - publishedAt >= publishEvery) {
        await broker.publish(catalogue)
        publishedAt = now
      }
      // Neither waits for the other: what one stumbles over is tried again in the next round.
      if (!reconciled) reconciled = await parts.reconcile()
      await sayLimits(parts, limitsSaid)
    },
    onFailure: (error) => {
      const reason = error instanceof Error ? error.message : String(error)
      log.warn('What this kernel knows could not be published whole; it is tried again', { reason })
    },
  })
}
