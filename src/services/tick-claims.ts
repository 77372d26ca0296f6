import type { PluginClient } from '../core/enqueuer.js'
import { decideTicks, type TickDecision } from '../core/schedule/decide.js'
import { dueOfTick, tickId, tickText } from '../core/schedule/tick-id.js'
import type {
  NewScheduleRun,
  PendingTick,
  StoredSchedule,
  TickClaim,
} from '../core/schedule-store.js'
import { type TickHand, taskOf } from './tick-hand.js'

/** And the time of the claim, in ms by Redis's clock. */
type Hand = TickHand & { readonly now: number }

type Decided = TickDecision['ticks'][number]

const ended = new Set<string>(['completed', 'dead', 'cancelled'])

/**
 * Whether the task of the tick before has not ended; one that is not known any more has, and one that
 * is still to be enqueued has not.
 */
async function lastRuns(client: PluginClient, { last }: StoredSchedule): Promise<boolean> {
  if (last === undefined) return false
  const task = await taskOf(client, last.taskId, last.queue)
  return task === undefined ? last.pending : !ended.has(task.state)
}

function pendingOf(
  { id, rule }: StoredSchedule,
  tick: number,
  { queueOf, now }: Hand,
): PendingTick {
  const { task, payload, options } = rule
  const queue = queueOf(task)
  return {
    id,
    taskId: tickId(id, tick),
    tick,
    claimedAt: now,
    due: dueOfTick(id, tick, rule),
    task,
    payload,
    ...(queue === undefined ? {} : { queue }),
    ...(options === undefined ? {} : { options }),
  }
}

/** With `overlap: 'skip'` what is made up for by backfill is made all the same, since it was asked for. */
const mayOverlap = ({ rule }: StoredSchedule, { missed }: Decided): boolean =>
  rule.overlap === 'allow' || (missed && rule.misfire === 'backfill')

/** Ticks that are enqueued, and those that are skipped since a task before them has not ended. */
async function parted(
  schedule: StoredSchedule,
  ticks: readonly Decided[],
  hand: Hand,
): Promise<{ readonly made: PendingTick[]; readonly skipped: number[] }> {
  const made: PendingTick[] = []
  const skipped: number[] = []
  let running: boolean | undefined
  for (const decided of ticks) {
    if (!mayOverlap(schedule, decided)) {
      running ??= await lastRuns(hand.client, schedule)
      if (running) {
        skipped.push(decided.tick)
        continue
      }
    }
    made.push(pendingOf(schedule, decided.tick, hand))
    running = true
  }
  return { made, skipped }
}

function droppedRun({ dropped }: TickDecision): NewScheduleRun[] {
  if (dropped === undefined) return []
  const { count, last } = dropped
  const run = { tick: tickText(last), outcome: 'skipped', reason: 'misfire' } as const
  return [count === 1 ? run : { ...run, count }]
}

/** What a schedule that is due asks for, and what of it is too late; `now` in ms by Redis's clock. */
export async function claimOf(
  schedule: StoredSchedule,
  now: number,
  hand: TickHand,
): Promise<{ readonly claim: TickClaim; readonly dropped: TickDecision['dropped'] }> {
  const { id, revision, rule, runs, due = now } = schedule
  const decision = decideTicks({ rule, due, now, runs })
  const { made, skipped } = await parted(schedule, decision.ticks, { ...hand, now })
  const overlaps = skipped.map((tick): NewScheduleRun => {
    return { tick: tickText(tick), outcome: 'skipped', reason: 'overlap' }
  })
  const passed = [...droppedRun(decision), ...overlaps]
  const next = skipped.length > 0 ? decision.otherwise : decision.next
  const claim = { id, revision, due, next, ticks: made, passed }
  return { claim, dropped: decision.dropped }
}
