import { type Timing, tickAfter } from '../core/schedule/ticks.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { StoredSchedule } from '../core/schedule-store.js'

const timings = ['cron', 'every', 'tz', 'startsAt', 'endsAt'] as const satisfies (keyof Timing)[]

/** The first tick after now, in ms; undefined where none comes, or its limit is reached. */
export const firstDue = (rule: ScheduleRule, now: number, runs = 0): number | undefined =>
  rule.limit !== undefined && runs >= rule.limit ? undefined : tickAfter(rule, now)

/** The next tick of a schedule under another rule: as it is, where that says the same of its times. */
export function nextDue(
  { rule: before, runs, due }: StoredSchedule,
  rule: ScheduleRule,
  now: number,
): number | 'keep' | undefined {
  const reached = rule.limit !== undefined && runs >= rule.limit
  const same = timings.every((name) => before[name] === rule[name])
  return same && due !== undefined && !reached ? 'keep' : firstDue(rule, now, runs)
}
