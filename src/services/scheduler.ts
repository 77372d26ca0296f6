import type { ScheduleRule } from '../core/schedule.js'
import type { ScheduleLook, StoredSchedule } from '../core/schedule-store.js'
import type { Service } from '../core/service.js'
import { Rounds } from './round.js'
import { claimOf } from './tick-claims.js'
import { enqueueTick, type TickEnqueuerParts } from './tick-enqueuer.js'

/** ms between two looks at most, where there is something to come: it may be changed meanwhile. */
const lookEvery = 1000
/** The same where nothing is to come. */
const rareLook = 2000
/** ms until the next look where what is due was another's. */
const soon = 100

export interface SchedulerParts extends TickEnqueuerParts {
  /** Task types that this kernel knows: ticks of others are for those who know them. */
  readonly types: readonly string[]
  /** The queue that a task type has here. */
  queueOf(type: string): string | undefined
  /** Whether this kernel would enqueue what a rule says: another build's may know another payload. */
  accepts(rule: ScheduleRule): Promise<boolean>
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/**
 * Enqueues what schedules ask for. Any number of kernels do so side by side: the first to claim a tick
 * has it, and what one has claimed and not enqueued is repeated by another, under the same id. All
 * goes by Redis's clock.
 */
export function scheduler(parts: SchedulerParts): Service {
  const { store, types, log, counters } = parts
  let pause = rareLook
  /** Told of once, until it is accepted. */
  const strange = new Set<string>()

  /** What is due and for this kernel; the rest stays due for those who accept it. */
  const acceptable = async (due: readonly StoredSchedule[]): Promise<StoredSchedule[]> => {
    const verdicts = await Promise.all(due.map(({ rule }) => parts.accepts(rule)))
    return due.filter(({ id }, i) => {
      if (verdicts[i]) strange.delete(id)
      else if (!strange.has(id)) {
        log.warn(
          "A schedule's payload is not one of its type here; its ticks wait for who takes it",
          {
            schedule: id,
          },
        )
        strange.add(id)
      }
      return verdicts[i]
    })
  }

  /** True where the ticks were this kernel's. */
  const take = async (schedule: StoredSchedule, now: number): Promise<boolean> => {
    const { id } = schedule
    const { claim, dropped } = await claimOf(schedule, now, parts)
    if (!(await store.claim(claim))) return false
    if (dropped !== undefined) {
      const count = dropped.exact ? dropped.count : `more than ${dropped.count}`
      log.warn('Ticks passed while nothing ran, and are left out', { schedule: id, count })
    }
    const skipped = claim.passed.filter(({ reason }) => reason === 'overlap').length
    if (skipped > 0) {
      counters.add('redisdistro_schedule_ticks_total', { outcome: 'skipped' }, skipped)
      log.debug('A tick is skipped, since the task of the last one has not ended', { schedule: id })
    }
    await all(claim.ticks.map((tick) => enqueueTick(parts, tick)))
    return true
  }

  const round = async (): Promise<void> => {
    pause = lookEvery
    const look = await store.look(types)
    const due = await acceptable(look.due)
    const taken = due.map((schedule) => take(schedule, look.now))
    const repeated = look.stale.map((tick) => enqueueTick(parts, tick))
    const [mine] = await Promise.all([all(taken), all(repeated)])
    pause = pauseAfter({ ...look, due }, mine.includes(true))
  }

  return new Rounds({
    name: 'scheduler',
    every: () => pause,
    round,
    onFailure: (error) =>
      log.warn('Schedules could not be looked at; it is tried again', { reason: wordsOf(error) }),
  })
}

function pauseAfter({ due, next, now }: ScheduleLook, mine: boolean): number {
  if (due.length > 0) return mine ? 0 : soon
  if (next === undefined) return rareLook
  return Math.min(lookEvery, Math.max(0, next - now))
}

/** Waits for each, and throws what the first failed with once all have ended. */
async function all<Result>(running: readonly Promise<Result>[]): Promise<Result[]> {
  const ended = await Promise.allSettled(running)
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
  return ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
}
