import type { Wanted } from '../core/schedule.js'
import type { PendingTick, ScheduleLook, StoredSchedule } from '../core/schedule-store.js'
import { claimOf } from './tick-claims.js'
import { enqueueTick, type TickEnqueuerParts } from './tick-enqueuer.js'
import { isPassing } from './tick-hand.js'

export interface TickTakerParts extends TickEnqueuerParts {
  /** Whether this kernel would enqueue this: another build's may know another payload. */
  accepts(wanted: Wanted): Promise<boolean>
  /** How long a claimed tick whose payload is not taken here is left to who takes it, in ms. */
  readonly mismatchGrace: number
}

/** What became of what was found. */
export interface Taken {
  /** How many schedules had their ticks claimed here. */
  readonly mine: number
  /** How many stay due, since they are not for this kernel, or Redis took no claim of them. */
  readonly left: number
  /** The first failure that passes by itself: Redis, or a part of it, is away or full. */
  readonly failure: unknown
}

type Fate = 'mine' | 'left' | "another's"

const skippedWords = 'A tick is skipped, since the task of the last one has not ended'
const strangeWords =
  "A schedule's payload is not one of its type here; its ticks wait for who takes it"

/** The ticks that are claimed; undefined where another was first. */
async function claim(
  parts: TickTakerParts,
  schedule: StoredSchedule,
  now: number,
): Promise<readonly PendingTick[] | undefined> {
  const { store, log, counters } = parts
  const { claim, dropped } = await claimOf(schedule, now, parts)
  if (!(await store.claim(claim))) return undefined
  const about = { schedule: schedule.id }
  if (dropped !== undefined) {
    const count = dropped.exact ? dropped.count : `more than ${dropped.count}`
    log.warn('Ticks passed while nothing ran, and are left out', { ...about, count })
  }
  const skipped = claim.passed.filter(({ reason }) => reason === 'overlap').length
  if (skipped > 0) {
    counters.add('redisdistro_schedule_ticks_total', { outcome: 'skipped' }, skipped)
    log.debug(skippedWords, about)
  }
  return claim.ticks
}

/** One that is not taken here may be by another build, for a while. */
async function repeat(parts: TickTakerParts, tick: PendingTick, now: number): Promise<void> {
  const mayWait = now - (tick.claimedAt ?? tick.tick) < parts.mismatchGrace
  if (mayWait && !(await parts.accepts(tick))) return
  await enqueueTick(parts, tick, now)
}

const reasonsIn = (ended: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))

/** Claims and enqueues what a look found, and repeats what was left behind; none holds up another. */
export function tickTaker(parts: TickTakerParts): (look: ScheduleLook) => Promise<Taken> {
  const { log } = parts
  /** Told of once, until its ticks are claimed. */
  const told = new Set<string>()
  const leave = (id: string, tell: () => void): Fate => {
    if (!told.has(id)) tell()
    told.add(id)
    return 'left'
  }

  const take = async (
    schedule: StoredSchedule,
    now: number,
    failures: unknown[],
  ): Promise<Fate> => {
    const { id, rule } = schedule
    let ticks: readonly PendingTick[] | undefined
    try {
      if (!(await parts.accepts(rule))) {
        return leave(id, () => log.warn(strangeWords, { schedule: id }))
      }
      ticks = await claim(parts, schedule, now)
    } catch (error) {
      if (isPassing(error)) {
        failures.push(error)
        return 'left'
      }
      const reason = error instanceof Error ? error.message : String(error)
      const words = 'The ticks of a schedule cannot be claimed, and wait'
      return leave(id, () => log.error(words, { schedule: id, reason }))
    }
    if (ticks === undefined) return "another's"
    told.delete(id)
    // What is claimed and not enqueued is repeated later.
    const tried = await Promise.allSettled(ticks.map((tick) => enqueueTick(parts, tick, now)))
    failures.push(...reasonsIn(tried))
    return 'mine'
  }

  return async ({ due, stale, now }) => {
    const failures: unknown[] = []
    const repeating = Promise.allSettled(stale.map((tick) => repeat(parts, tick, now)))
    const fates = await Promise.all(due.map((schedule) => take(schedule, now, failures)))
    failures.push(...reasonsIn(await repeating))
    const count = (wanted: Fate) => fates.filter((fate) => fate === wanted).length
    return { mine: count('mine'), left: count('left'), failure: failures[0] }
  }
}
