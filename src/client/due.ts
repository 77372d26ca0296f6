import type { NewTask } from '../core/broker.js'
import type { ParsedEnqueueOptions } from '../core/enqueue-options.js'
import { isTimeZone, type RunAtResult, resolveRunAt } from '../core/run-at.js'
import { badOption, type Problem } from './problem.js'

/** When a task is to run; empty for now. */
export interface Due {
  readonly due?: NonNullable<NewTask['due']>
  /** The same as an instant in ms, by Redis's clock as it is known here. */
  readonly runAt?: number
  /** The zone, where a text time was read. */
  readonly tz?: string
}

export interface DueClock {
  estimate(): number
  ask(): Promise<number>
}

const now: Due = {}

function problemOf(result: RunAtResult & { ok: false }): Problem {
  const issues = [{ path: result.path, message: result.reason }]
  return { code: result.path === 'runAt' ? 'bad_time' : 'bad_option', issues }
}

/**
 * Reads `runAt` and `delay`. Durations travel as such, for Redis to count; an instant is sent as it
 * is; text, and what seems past, is settled by asking Redis for its time, since no task may run
 * before its time by Redis's clock.
 */
export async function dueOf(
  options: ParsedEnqueueOptions,
  zone: string,
  clock: DueClock,
): Promise<Due | Problem> {
  const { runAt, delay, tz = zone } = options
  if (options.tz !== undefined && !isTimeZone(tz)) {
    return badOption('tz', `${JSON.stringify(tz)} is not an IANA time zone such as Europe/Rome`)
  }
  const estimate = clock.estimate()
  const first = resolveRunAt({ runAt, delay, tz, now: estimate })
  if (first === undefined) return now
  if (!first.ok && first.path !== 'runAt') return problemOf(first)
  if (first.ok && first.kind === 'duration') {
    const ms = first.at - estimate
    return ms > 0 ? { due: { in: ms }, runAt: first.at } : now
  }
  if (first.ok && first.kind !== 'text' && first.at > estimate) {
    return { due: { at: first.at }, runAt: first.at }
  }
  const asked = await clock.ask()
  const result = resolveRunAt({ runAt, delay, tz, now: asked })
  if (result === undefined) return now
  if (!result.ok) return problemOf(result)
  if (result.at <= asked) return now
  const instant = { due: { at: result.at }, runAt: result.at }
  return result.kind === 'text' ? { ...instant, tz } : instant
}
