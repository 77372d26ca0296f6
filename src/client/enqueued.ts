import type { Enqueued, NewTask, StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import { traceIdOf } from '../telemetry/trace.js'
import type { EnqueuedTask } from './contract.js'
import type { Draft } from './draft.js'
import type { Due } from './due.js'

/** A draft as the store takes it. `enqueuedAt` in ms, by Redis's clock as it is known here. */
export function newTask(
  draft: Draft,
  when: Due,
  stamp: { readonly enqueuedAt: number; readonly traceparent: string | undefined },
): NewTask {
  const { options, fingerprint } = draft
  const { attempts, timeout, uniqueKey, uniqueFor } = options
  return {
    id: draft.id,
    priority: options.priority ?? 'normal',
    body: {
      type: draft.entry.type,
      payload: draft.payload,
      enqueuedAt: stamp.enqueuedAt,
      overrides: {
        ...(attempts === undefined ? {} : { attempts }),
        ...(timeout === undefined ? {} : { timeout }),
      },
      tags: options.tags ?? noTags,
      ...(stamp.traceparent === undefined ? {} : { traceparent: stamp.traceparent }),
      ...(when.runAt === undefined ? {} : { runAt: when.runAt }),
    },
    deadLetter: draft.entry.deadLetter,
    ...(when.due === undefined ? {} : { due: when.due }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }),
    ...(uniqueKey === undefined
      ? {}
      : { unique: { key: uniqueKey, ...(uniqueFor === undefined ? {} : { for: uniqueFor }) } }),
  }
}

const noTags: readonly string[] = []

interface Answer {
  readonly draft: Draft
  readonly when: Due
  readonly enqueued: Enqueued
  readonly traceId: string | undefined
}

/**
 * What the caller hears. A generated id that Redis knew already is this very call's, sent twice:
 * no duplicate. A duplicate's time, zone and trace are its first's, so they are not told.
 */
export function enqueuedTask({ draft, when, enqueued, traceId }: Answer): EnqueuedTask {
  const ours = enqueued.id === draft.id && draft.fingerprint === undefined
  const duplicate = enqueued.duplicate && !ours
  return {
    id: enqueued.id,
    type: draft.entry.type,
    queue: draft.queue,
    state: enqueued.state,
    duplicate,
    ...(enqueued.dueAt === undefined ? {} : { runAt: iso(enqueued.dueAt) }),
    ...(when.tz === undefined || duplicate ? {} : { tz: when.tz }),
    ...(traceId === undefined || duplicate ? {} : { traceId }),
  }
}

/** The same of a task that was there before. */
export function foundTask(draft: Draft, task: StoredTask): EnqueuedTask {
  const traceId = traceIdOf(task.body.traceparent)
  return {
    id: task.id,
    type: task.body.type,
    queue: draft.queue,
    state: task.state,
    duplicate: true,
    ...(task.dueAt === undefined ? {} : { runAt: iso(task.dueAt) }),
    ...(traceId === undefined ? {} : { traceId }),
  }
}
