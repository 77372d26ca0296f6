import { iso } from '../core/clock.js'
import { parseDuration } from '../core/duration.js'
import type { EnqueuedTask } from '../core/enqueuer.js'
import { tickText } from '../core/schedule/tick-id.js'
import type { PendingTick, ScheduleStore } from '../core/schedule-store.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { isPassing, type TickHand, taskOf } from './tick-hand.js'

export interface TickEnqueuerParts extends TickHand {
  readonly store: ScheduleStore
  readonly log: Log
  readonly counters: Counters
}

/**
 * The queue of the claim, since it is by its queue that a repeat finds the first; where the type has
 * another by now, that of the claim may be worked by nobody, and stays only where the first is there.
 */
async function queueOf(hand: TickHand, tick: PendingTick): Promise<string | undefined> {
  const { options, queue, taskId } = tick
  if (options?.queue !== undefined) return options.queue
  const here = hand.queueOf(tick.task)
  if (queue === undefined || here === undefined || queue === here) return queue
  return (await taskOf(hand.client, taskId, queue)) === undefined ? here : queue
}

/** An expiry counts from the enqueue; a tick's counts from when its task is due, `wait` ms later. */
function expiryOf(tick: PendingTick, wait: number): { readonly expiresIn?: number } {
  const { expiresIn } = tick.options ?? {}
  return expiresIn === undefined ? {} : { expiresIn: (parseDuration(expiresIn) ?? 0) + wait }
}

/** The enqueue of a tick's task, under the tick's id: whoever repeats it finds the first. */
async function enqueue(hand: TickHand, tick: PendingTick, now: number): Promise<EnqueuedTask> {
  const queue = await queueOf(hand, tick)
  return await hand.client.enqueue(tick.task, tick.payload, {
    ...tick.options,
    ...expiryOf(tick, Math.max(0, tick.due - now)),
    ...(queue === undefined ? {} : { queue }),
    taskId: tick.taskId,
    ...(tick.due > tick.tick ? { runAt: iso(tick.due) } : {}),
  })
}

/**
 * Enqueues the task of a claimed tick, and tells the history; `now` in ms by Redis's clock. A tick whose
 * store is away stays pending; a task that is refused stays refused, however often it is tried.
 */
export async function enqueueTick(
  parts: TickEnqueuerParts,
  tick: PendingTick,
  now: number,
): Promise<void> {
  const { store, log, counters } = parts
  const { id, taskId } = tick
  const run = { tick: tickText(tick.tick), taskId }
  let queue: string | undefined
  try {
    queue = (await enqueue(parts, tick, now)).queue
  } catch (error) {
    if (isPassing(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    log.error('A tick could not be enqueued, and will not be', { schedule: id, taskId, reason })
    await store.settle(tick, { ...run, outcome: 'refused', reason })
    counters.add('redisdistro_schedule_ticks_total', { outcome: 'refused' })
    return
  }
  await store.settle(tick, { ...run, outcome: 'enqueued' }, queue)
  counters.add('redisdistro_schedule_ticks_total', { outcome: 'enqueued' })
}
