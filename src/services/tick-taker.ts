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

/** What became of the schedules that were due. */
export interface Taken {
  /** How many had their ticks claimed here. */
  readonly mine: number
  /** How many stay due, since they are not for this kernel. */
  readonly left: number
}

type Fate = 'mine' | 'left' | "another's"

/** Claims and enqueues what a look found, and repeats what was left behind. */
export function tickTaker(parts: TickTakerParts): (look: ScheduleLook) => Promise<Taken> {
  const { store, log, counters } = parts
  /** Told of once, until its ticks are claimed. */
  const told = new Set<string>()
  const leave = (id: string, tell: () => void): Fate => {
    if (!told.has(id)) tell()
    told.add(id)
    return 'left'
  }

  const claim = async (schedule: StoredSchedule, now: number): Promise<Fate> => {
    const { id } = schedule
    const { claim, dropped } = await claimOf(schedule, now, parts)
    if (!(await store.claim(claim))) return "another's"
    told.delete(id)
    if (dropped !== undefined) {
      const count = dropped.exact ? dropped.count : `more than ${dropped.count}`
      log.warn('Ticks passed while nothing ran, and are left out', { schedule: id, count })
    }
    const skipped = claim.passed.filter(({ reason }) => reason === 'overlap').length
    if (skipped > 0) {
      counters.add('redisdistro_schedule_ticks_total', { outcome: 'skipped' }, skipped)
      log.debug('A tick is skipped, since the task of the last one has not ended', { schedule: id })
    }
    await all(claim.ticks.map((tick) => enqueueTick(parts, tick, now)))
    return 'mine'
  }

  /** One that cannot be taken holds up no other. */
  const take = async (schedule: StoredSchedule, now: number): Promise<Fate> => {
    const { id, rule } = schedule
    try {
      if (await parts.accepts(rule)) return await claim(schedule, now)
      const words =
        "A schedule's payload is not one of its type here; its ticks wait for who takes it"
      return leave(id, () => log.warn(words, { schedule: id }))
    } catch (error) {
      if (isPassing(error)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      const words = 'The ticks of a schedule cannot be claimed, and wait'
      return leave(id, () => log.error(words, { schedule: id, reason }))
    }
  }

  const repeat = async (tick: PendingTick, now: number): Promise<void> => {
    const mayWait = now - tick.tick < parts.mismatchGrace
    if (mayWait && !(await parts.accepts(tick))) return
    await enqueueTick(parts, tick, now)
  }

  return async ({ due, stale, now }) => {
    const taken = all(due.map((schedule) => take(schedule, now)))
    const [fates] = await Promise.all([taken, all(stale.map((tick) => repeat(tick, now)))])
    const count = (wanted: Fate) => fates.filter((fate) => fate === wanted).length
    return { mine: count('mine'), left: count('left') }
  }
}

/** Waits for each, and throws what the first failed with once all have ended. */
async function all<Result>(running: readonly Promise<Result>[]): Promise<Result[]> {
  const ended = await Promise.allSettled(running)
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
  return ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
}
