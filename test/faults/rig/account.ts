import { until } from '../../support/until.js'
import type { Fleet } from './fleet.js'

/** What became of the tasks that were acknowledged, by the ledger and by the store. */
export interface Account {
  readonly acknowledged: number
  /** Acknowledged, and no handler came to its end. */
  readonly lost: number
  /** Handlers came to the end of these more than once. */
  readonly twice: number
  /** Starts beyond one of each. */
  readonly startedAgain: number
  /** Payloads that were enqueued under more than one id. */
  readonly enqueuedTwice: number
}

export interface AccountOptions {
  /** ms to wait until every one has ended; two minutes if left out. */
  readonly timeout?: number
}

/** Resolves when each acknowledged task has ended and the queue holds none, with what was found. */
export async function account(
  fleet: Fleet,
  acknowledged: ReadonlySet<number>,
  { timeout = 120_000 }: AccountOptions = {},
): Promise<Account> {
  const drained = async () => {
    const { depth } = await fleet.operator.queue('default')
    return depth.waiting + depth.scheduled + depth.retryable + depth.active === 0
  }
  await until(drained, { timeout, describe: 'the queue to be drained' })
  const starts = new Map<number, number>()
  const ends = new Map<number, number>()
  const ids = new Map<number, Set<string>>()
  for (const { word, n, id } of fleet.ledger.lines()) {
    const counts = word === 'start' ? starts : ends
    counts.set(n, (counts.get(n) ?? 0) + 1)
    const known = ids.get(n) ?? new Set()
    ids.set(n, known.add(id))
  }
  const excess = [...starts.values()].reduce((sum, count) => sum + count - 1, 0)
  return {
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((n) => !ends.has(n)).length,
    twice: [...ends.values()].filter((count) => count > 1).length,
    startedAgain: excess,
    enqueuedTwice: [...ids.values()].filter(({ size }) => size > 1).length,
  }
}
