import type { NewTask } from '../core/broker.js'
import type { ParsedEnqueueOptions } from '../core/enqueue-options.js'
import { isTimeZone, type RunAtResult, resolveRunAt } from '../core/run-at.js'
import { badOption, type Problem } from './problem.js'

/** When a task is to run; empty for now. */
export interface Due {
  readonly due?: NonNullable<NewTask['due']>
  /** The same as an instant in ms, by Redis's clock as it is known here. */
  readonly runAt?: number
  /** The zone, where a text or a wall time was read. */
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

/** An instant as it is: the script itself runs at once what is past by Redis's clock. */
const instant = (at: number, estimate: number): Due =>
  at > estimate ? { due: { at }, runAt: at } : { due: { at } }

/**
 * Reads `runAt` and `delay`. Durations travel as such, for Redis to count, and instants as they
 * are; only text is read against Redis's own time, which is asked for.
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
  if (first.ok && first.kind !== 'text') {
    const due = instant(first.at, estimate)
    return first.wall === undefined ? due : { ...due, tz }
  }
  const asked = await clock.ask()
  const read = resolveRunAt({ runAt, delay, tz, now: asked })
  if (read === undefined) return now
  if (!read.ok) return problemOf(read)
  return { ...instant(read.at, asked), tz }
}
