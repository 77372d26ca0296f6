import type { Partition } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import { runScript, type ScriptEngine } from './arguments.js'
import { confirmScript } from './query-scripts.js'

/**
 * Waits until what these ids were used for is as durable as the engine's store makes it. That they are
 * still known is asked in the same script, since a failover may have led to a server without them.
 * @throws RedisDistroError `store_unknown`
 */
export async function confirmIds(
  engine: ScriptEngine,
  partition: Partition,
  ids: readonly string[],
): Promise<void> {
  const call = { script: confirmScript, partition, named: {}, rest: ids }
  const answer = (await runScript(engine, call)) as string[]
  const lost = ids.find((_, i) => (answer[i * 2] ?? '') === '')
  if (lost === undefined) return
  const reason = 'Redis no longer knows what it was found to have'
  throw new RedisDistroError('store_unknown', `${reason}: '${lost}'`, { reason })
}
