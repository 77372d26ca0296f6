import type { Broker } from '../core/broker.js'
import { limitsWords } from '../core/limits.js'
import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

/**
 * Tells the store what limits the config sets. What a person set at run time stays as long as the
 * config says what it said before, and the difference is told; where it says something new, that holds.
 */
export async function sayLimits(
  broker: Broker,
  queues: ResolvedConfig['queues'],
  log: Log,
): Promise<void> {
  for (const [queue, { partitions, limits }] of queues) {
    if (partitions !== 1) continue
    const said = await broker.sayLimits({ queue, index: 0, of: 1 }, limits)
    const config = limitsWords(limits)
    const before = limitsWords(said.before)
    if (!said.byPerson || config === before) continue
    const words = said.changed
      ? "The config's limits of a queue replace those that were set at run time"
      : "A queue keeps the limits that were set at run time, and not the config's"
    log.warn(words, { queue, config, runTime: before })
  }
}
