import { iso } from '../core/clock.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { ScheduleRun, StoredSchedule } from '../core/schedule-store.js'
import { canonicalJson } from './ids.js'

/** A schedule as it is shown: its rule, and how it goes. */
export type Schedule = ScheduleRule & {
  readonly id: string
  readonly state: 'active' | 'paused' | 'ended'
  /** Where it came from first; an edit at run time does not change that. */
  readonly source: 'config' | 'runtime'
  /** Names of the fields in which an edit at run time differs from the config; absent where none does. */
  readonly differs?: readonly string[]
  /** ISO times. */
  readonly nextRunAt?: string
  readonly lastRunAt?: string
  /** Ticks that were enqueued. */
  readonly runs: number
  /** The last 50, the newest first; where one schedule is asked for. */
  readonly history?: readonly ScheduleRun[]
}

/** The fields in which two rules differ. */
export function differences(one: ScheduleRule, other: ScheduleRule): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof ScheduleRule>
  return [...names].filter((name) => canonicalJson(one[name]) !== canonicalJson(other[name])).sort()
}

export function shownSchedule(stored: StoredSchedule, history?: readonly ScheduleRun[]): Schedule {
  const { id, rule, source, config, due, paused, runs, last } = stored
  const differs = config === undefined ? [] : differences(rule, config)
  return {
    id,
    ...rule,
    state: paused ? 'paused' : due === undefined ? 'ended' : 'active',
    source,
    ...(differs.length === 0 ? {} : { differs }),
    ...(due === undefined ? {} : { nextRunAt: iso(due) }),
    ...(last === undefined ? {} : { lastRunAt: iso(last.tick) }),
    runs,
    ...(history === undefined ? {} : { history }),
  }
}
