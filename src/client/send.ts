import type { Broker, Enqueued, NewTask, Partition } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError, isStoreError, RedisDistroError } from '../core/errors.js'
import { inTime } from '../core/within.js'

/** Pauses in ms before the first and the second repeat. */
const pauses = [50, 200] as const

export interface SendOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** ms from the first send within which the last answer counts. */
  readonly deadline: number
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const unanswered = (ms: number) => () =>
  new RedisDistroError('store_unknown', `no answer within ${ms} ms`)

/** Not where the store gives a reason: it answered, and has waited as long as it may. */
const mayRepeat = (error: unknown): boolean =>
  isRedisDistroError(error) &&
  error.reason === undefined &&
  (error.code === 'store_away' || error.code === 'store_unknown')

/** A script that failed on its way stops where it is: what it wrote before stands. */
const isDoubtful = (error: unknown): boolean =>
  isRedisDistroError(error) && (error.code === 'store_unknown' || error.code === 'internal')

/** The last error, or `store_unknown` where an earlier send may have been written. */
function verdict(error: unknown, doubt: boolean): unknown {
  if (!doubt || !isStoreError(error)) return error
  if (error.code === 'store_unknown') return error
  return new RedisDistroError('store_unknown', error.message, { cause: error })
}

/**
 * One script call, repeated twice at most within the deadline where Redis was away or did not
 * answer; a repeat says that it is one, so that nothing is written twice.
 * @throws RedisDistroError `store_away` only if no send can have been written
 */
export async function send(
  options: SendOptions,
  partition: Partition,
  tasks: readonly NewTask[],
): Promise<Enqueued[]> {
  const { broker, clock, deadline } = options
  const start = clock.monotonic()
  let doubt = false
  for (let sends = 0; ; sends++) {
    const sent = clock.monotonic() - start
    try {
      const call = broker.enqueue(partition, tasks, sends > 0)
      const left = deadline - sent
      return await (sends === 0 ? call : inTime(left, call, unanswered(left)))
    } catch (error) {
      doubt ||= isDoubtful(error)
      const pause = pauses[sends] ?? Number.POSITIVE_INFINITY
      const spent = clock.monotonic() - start
      // What would take as long once more, and so be cut short, could only leave a doubt.
      const late = spent + pause + (spent - sent) >= deadline
      if (late || !mayRepeat(error)) {
        throw verdict(error, doubt)
      }
      await sleep(pause)
    }
  }
}
