import type { CycleReply, Settlement } from '../core/broker.js'
import { type ErrorCode, isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { toTaskError } from '../core/outcome.js'
import type { QueueWorkerOptions } from './options.js'

/** These say nothing of what was sent: it is sent again as it is. */
const ofTheStore = new Set<ErrorCode>([
  'store_away',
  'store_unknown',
  'store_full',
  'unsafe_redis',
  'closed',
])

/** True where a call failed by the store's state, and not by what was sent. */
export const isStoreFault = (error: unknown): boolean =>
  isRedisDistroError(error) && ofTheStore.has(error.code)

/** Of whatever was thrown, a handler's `toJSON` included. */
export const wordsOf = (error: unknown): string => toTaskError(error).message

export interface Apart {
  /** The lease is lost, and what is said under it no longer counts. */
  readonly lost: boolean
  /** Not sent, since the store failed meanwhile. */
  readonly unheard: readonly Settlement[]
  /** Those that cannot be settled in any way; their tasks are left to the rescuer. */
  readonly dropped: readonly Settlement[]
}

const buriedBy = (error: unknown, settlement: Settlement): Settlement => {
  const words = `what the task came to could not be stored: ${wordsOf(error)}`
  const reason = toTaskError(new RedisDistroError('internal', words))
  return { ...settlement, outcome: { name: 'bury', error: reason } }
}

type Send = (settled: readonly Settlement[]) => Promise<CycleReply>
type End = 'settled' | 'lost' | 'unheard' | { readonly failed: unknown }

/** `failed` only where an empty cycle works: else the fault is not this settlement's. */
async function tryOne(send: Send, settlement: Settlement): Promise<End> {
  try {
    return (await send([settlement])).lost ? 'lost' : 'settled'
  } catch (error) {
    if (isStoreFault(error)) return 'unheard'
    const works = await send([]).then(
      () => true,
      () => false,
    )
    return works ? { failed: error } : 'unheard'
  }
}

async function settleOrBury(send: Send, settlement: Settlement): Promise<End> {
  const end = await tryOne(send, settlement)
  return typeof end === 'string' ? end : tryOne(send, buriedBy(end.failed, settlement))
}

/**
 * Settles one by one what failed together, so that one bad settlement stops no other. Its task is
 * buried; where even that fails it is dropped, with a line in the log. Never rejects.
 */
export async function settleApart(
  settled: readonly Settlement[],
  worker: string,
  { broker, partition, retention, log }: QueueWorkerOptions,
): Promise<Apart> {
  const dropped: Settlement[] = []
  const send: Send = (some) =>
    broker.cycle(partition, { worker, settled: some, wanted: 0, promote: false, retention })
  for (const [index, settlement] of settled.entries()) {
    const end = await settleOrBury(send, settlement)
    if (end === 'lost') return { lost: true, unheard: [], dropped }
    if (end === 'unheard') return { lost: false, unheard: settled.slice(index), dropped }
    if (end === 'settled') continue
    dropped.push(settlement)
    const { id, body } = settlement.task
    log.error('A task cannot be settled; it is left until the lease is over', {
      taskId: id,
      type: body.type,
      outcome: settlement.outcome.name,
      reason: wordsOf(end.failed),
    })
  }
  return { lost: false, unheard: [], dropped }
}
