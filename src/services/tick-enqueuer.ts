import { iso } from '../core/clock.js'
import type { EnqueuedTask, PluginClient } from '../core/enqueuer.js'
import { isRedisDistroError } from '../core/errors.js'
import { tickText } from '../core/schedule/tick-id.js'
import type { PendingTick, ScheduleStore } from '../core/schedule-store.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'

export interface TickEnqueuerParts {
  readonly store: ScheduleStore
  readonly client: PluginClient
  readonly log: Log
  readonly counters: Counters
}

/** The enqueue of a tick's task, under the tick's id: whoever repeats it finds the first. */
const enqueue = (client: PluginClient, tick: PendingTick): Promise<EnqueuedTask> =>
  client.enqueue(tick.task, tick.payload, {
    ...tick.options,
    taskId: tick.taskId,
    ...(tick.due > tick.tick ? { runAt: iso(tick.due) } : {}),
  })

/** What the store did not take may be taken later; all else is refused for good. */
const isPassing = (error: unknown): boolean =>
  isRedisDistroError(error) && error.family === 'infrastructure' && error.code !== 'internal'

/**
 * Enqueues the task of a claimed tick, and tells the history. A tick whose store is away stays
 * pending; a task that is refused stays refused, however often it is tried.
 */
export async function enqueueTick(parts: TickEnqueuerParts, tick: PendingTick): Promise<void> {
  const { store, client, log, counters } = parts
  const { id, taskId } = tick
  const run = { tick: tickText(tick.tick), taskId }
  let queue: string | undefined
  try {
    queue = (await enqueue(client, tick)).queue
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
