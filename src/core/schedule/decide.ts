import type { ScheduleRule } from '../schedule.js'
import { passedTicks, tickAfter } from './ticks.js'

/** Ticks that passed longer ago than this, in ms, are missed. */
const misfireGrace = 60_000

/** Ticks that are claimed at once at most, and characters of their payloads: each has one of its own. */
const mostAtOnce = 50
const mostLetters = 4 * 1024 * 1024

export interface TickCall {
  readonly rule: ScheduleRule
  /** The tick that is due, in ms. */
  readonly due: number
  /** ms, by Redis's clock. */
  readonly now: number
  /** Ticks that were enqueued before. */
  readonly runs: number
}

/** What becomes of the ticks that are due. */
export interface TickDecision {
  /** In ms; the rest of what is due follows in the next decision. */
  readonly ticks: readonly { readonly tick: number; readonly missed: boolean }[]
  /** Missed ticks that are not made up for; the latest of them is named in the history. */
  readonly dropped:
    | { readonly count: number; readonly exact: boolean; readonly last: number }
    | undefined
  /** The next tick, in ms; undefined where none comes any more. */
  readonly next: number | undefined
  /** The same where not all of these are made, so that the limit is not reached by them. */
  readonly otherwise: number | undefined
}

/** How many ticks of a rule are claimed at once at most. */
function atOnce({ payload = {} }: ScheduleRule): number {
  const letters = JSON.stringify(payload).length
  return Math.max(1, Math.min(mostAtOnce, Math.floor(mostLetters / letters)))
}

/** Which of the ticks that passed shall be made up for, oldest first; the rest are dropped. */
function chosen(rule: ScheduleRule, ticks: readonly number[], now: number): readonly number[] {
  const inTime = ticks.filter((tick) => now - tick <= misfireGrace)
  if (inTime.length === ticks.length) return ticks
  if (rule.misfire === 'once') return ticks.slice(-1)
  if (rule.misfire === 'skip') return inTime
  return ticks.slice(-(rule.misfireLimit + inTime.length))
}

/**
 * Decides about the ticks from `due` until `now`. Ticks within the grace are all enqueued, unless one
 * before them was missed and `misfire` is `once`: then the latest of all stands for the rest.
 */
export function decideTicks({ rule, due, now, runs }: TickCall): TickDecision {
  const most = (rule.misfire === 'backfill' ? rule.misfireLimit : 0) + misfireGrace / 1000 + 1
  const passed = passedTicks(rule, { due, now, most })
  const kept = chosen(rule, passed.ticks, now)
  const left = rule.limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, rule.limit - runs)
  const made = kept.slice(0, Math.min(left, atOnce(rule)))
  const ended = made.length === left
  const rest = kept[made.length]
  const otherwise = rest ?? tickAfter(rule, passed.ticks.at(-1) ?? now)
  const count = passed.count - kept.length
  const last = passed.ticks[passed.ticks.length - kept.length - 1] ?? due
  return {
    ticks: made.map((tick) => ({ tick, missed: now - tick > misfireGrace })),
    dropped: count > 0 ? { count, exact: passed.exact, last } : undefined,
    next: ended ? undefined : otherwise,
    otherwise,
  }
}
