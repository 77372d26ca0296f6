import { parseDuration } from '../duration.js'
import type { ScheduleRule } from '../schedule.js'
import { cronAfter, cronBack } from './cron.js'

/** The end of the year 9999, beyond which no time is written. */
const lastInstant = 253_402_300_799_999

/** What of a rule says when its ticks are. */
export type Timing = Pick<ScheduleRule, 'cron' | 'every' | 'tz' | 'startsAt' | 'endsAt'>

const instantOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Date.parse(text)

const stepOf = ({ every }: Timing): number | undefined =>
  every === undefined ? undefined : parseDuration(every)

/** The first tick after an instant, both in ms; undefined where none comes any more. */
export function tickAfter(rule: Timing, after: number): number | undefined {
  const start = instantOf(rule.startsAt, Number.NEGATIVE_INFINITY)
  const from = Math.max(after, start - 1)
  const tick = stepOf(rule) === undefined ? cronTick(rule, from) : everyTick(rule, from)
  return tick === undefined || tick > instantOf(rule.endsAt, lastInstant) ? undefined : tick
}

const cronTick = ({ cron = '', tz }: Timing, from: number) => cronAfter(cron, tz, from)

function everyTick(rule: Timing, from: number): number {
  const step = stepOf(rule) ?? 1
  const anchor = instantOf(rule.startsAt, 0)
  return anchor + (Math.floor((from - anchor) / step) + 1) * step
}

/** The next `count` ticks after an instant, in ms. */
export function ticksAfter(rule: Timing, after: number, count: number): number[] {
  const ticks: number[] = []
  for (let tick = tickAfter(rule, after); tick !== undefined; tick = tickAfter(rule, tick)) {
    ticks.push(tick)
    if (ticks.length === count) break
  }
  return ticks
}

/** Ticks that have passed: the latest of them, and how many there were, at least. */
export interface Passed {
  readonly ticks: readonly number[]
  readonly count: number
  /** False where there were too many to count. */
  readonly exact: boolean
}

/** The ticks from `due`, which is one, until `now`; no more than the latest `most` are listed. */
export function passedTicks(
  rule: Timing,
  { due, now, most }: { readonly due: number; readonly now: number; readonly most: number },
): Passed {
  const end = Math.min(now, instantOf(rule.endsAt, Number.POSITIVE_INFINITY))
  const step = stepOf(rule)
  if (step !== undefined) {
    const count = Math.max(0, Math.floor((end - due) / step) + 1)
    const first = Math.max(0, count - most)
    const ticks = Array.from({ length: count - first }, (_, i) => due + (first + i) * step)
    return { ticks, count, exact: true }
  }
  const ticks = until(rule, { from: due - 1, end, most: most + 1 })
  if (ticks.length <= most) return { ticks, count: ticks.length, exact: true }
  // Too many to go through: those from somewhere near the end on, as one goes forward.
  const { cron = '', tz } = rule
  const start = cronBack(cron, tz, { from: end + 1000, count: most })
  const last = until(rule, { from: Math.max(due, start) - 1, end, most: 2 * most })
  return { ticks: last.slice(-most), count: ticks.length, exact: false }
}

function until(
  rule: Timing,
  { from, end, most }: { readonly from: number; readonly end: number; readonly most: number },
): number[] {
  const ticks: number[] = []
  let tick = tickAfter(rule, from)
  while (tick !== undefined && tick <= end && ticks.length < most) {
    ticks.push(tick)
    tick = tickAfter(rule, tick)
  }
  return ticks
}
