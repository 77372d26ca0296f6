import { type Timing, tickAfter } from '../core/schedule/ticks.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { StoredSchedule } from '../core/schedule-store.js'

const timings = ['cron', 'every', 'tz', 'startsAt', 'endsAt'] as const satisfies (keyof Timing)[]

type Past = Pick<StoredSchedule, 'runs' | 'last'>

/**
 * The first tick to come, in ms: after now, and after the last that was claimed, should Redis's clock
 * have gone back. Undefined where none comes, or its limit is reached.
 */
export function firstDue(rule: ScheduleRule, now: number, past?: Past): number | undefined {
  if (rule.limit !== undefined && (past?.runs ?? 0) >= rule.limit) return undefined
  return tickAfter(rule, Math.max(now, past?.last?.tick ?? now))
}

/**
 * The next tick of a schedule under another rule: as it is, where that says the same of its times, or
 * where it is due already and a tick of the other rule too.
 */
export function nextDue(
  before: StoredSchedule,
  rule: ScheduleRule,
  now: number,
): number | undefined {
  const { rule: former, runs, due } = before
  if (rule.limit !== undefined && runs >= rule.limit) return undefined
  const same = timings.every((name) => former[name] === rule[name])
  const stays = due !== undefined && (same || (due <= now && tickAfter(rule, due - 1) === due))
  return stays ? due : firstDue(rule, now, before)
}
