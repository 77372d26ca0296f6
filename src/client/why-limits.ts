import type { LimitState } from '../core/broker.js'
import { formatDuration } from '../core/duration.js'
import { burstOf } from '../core/limits.js'
import { parseRate } from '../core/rate.js'

/** What is known of a queue's limits when a waiting task is asked why it does not run; times in ms. */
export interface Limited {
  readonly limits?: LimitState | undefined
  /** Tasks that are active in the queue. */
  readonly active: number
  readonly now: number
}

/** How long until the rate lets the task at this place start, if nothing overtakes it; 0 where it does now. */
function waitOf({ rate, fullAt = 0 }: LimitState, position: number, now: number): number {
  const parsed = rate === undefined ? undefined : parseRate(rate)
  if (!parsed) return 0
  const step = parsed.per / parsed.amount
  return Math.max(0, Math.max(fullAt, now) + (position + 1 - burstOf(parsed)) * step - now)
}

/** In words, which limit holds a waiting task; undefined where none does. */
export function limitWords(
  position: number | undefined,
  { limits, active, now }: Limited,
): string | undefined {
  if (!limits) return undefined
  const { rate, maxActive } = limits
  if (maxActive !== undefined && active >= maxActive) {
    return `held by the queue's maxActive of ${maxActive}: ${active} are active`
  }
  const wait = waitOf(limits, position ?? 0, now)
  if (wait <= 0) return undefined
  return `held by the queue's rate of ${rate}: it may start in ${formatDuration(wait)} at the earliest`
}
