import type { Broker } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import { limitsWords, type QueueLimits } from '../core/limits.js'
import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

export interface SayLimitsParts {
  readonly broker: Broker
  readonly queues: ResolvedConfig['queues']
  readonly log: Log
}

/**
 * Tells the store what limits the config sets, of each queue that is not in `said` yet, and puts those
 * there that it was told of. No queue waits for another one.
 * @throws RedisDistroError `internal` that names the queues whose limits the store did not take
 */
export async function sayLimits(parts: SayLimitsParts, said: Set<string>): Promise<void> {
  const failed = new Map<string, string[]>()
  const say = async (queue: string, limits: QueueLimits) => {
    try {
      await sayOf(queue, limits, parts)
      said.add(queue)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      failed.set(reason, [...(failed.get(reason) ?? []), queue])
    }
  }
  const left = [...parts.queues].filter(([queue, of]) => of.partitions === 1 && !said.has(queue))
  await Promise.all(left.map(([queue, { limits }]) => say(queue, limits)))
  if (failed.size === 0) return
  const words = [...failed].map(([reason, names]) => `of ${names.sort().join(', ')}: ${reason}`)
  throw new RedisDistroError('internal', `limits ${words.join('; ')}`)
}

/**
 * What a person set at run time stays as long as the config says what it said before, and the
 * difference is told; where it says something new, that holds.
 */
async function sayOf(queue: string, limits: QueueLimits, parts: SayLimitsParts): Promise<void> {
  const said = await parts.broker.sayLimits({ queue, index: 0, of: 1 }, limits)
  const config = limitsWords(limits)
  const before = limitsWords(said.before)
  if (!said.byPerson || config === before) return
  const words = said.changed
    ? "The config's limits of a queue replace those that were set at run time"
    : "A queue keeps the limits that were set at run time, and not the config's"
  parts.log.warn(words, { queue, config, runTime: before })
}
