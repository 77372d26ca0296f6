import type { Enqueued, NewTask, StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import { traceIdOf } from '../telemetry/trace.js'
import type { EnqueuedTask } from './contract.js'
import type { Draft } from './draft.js'
import type { Due } from './due.js'
import type { First } from './firsts.js'

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
      ...(when.tz === undefined ? {} : { tz: when.tz }),
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
  /** The first task of a repeat, where it was looked up. */
  readonly first: StoredTask | undefined
}

/** False for a generated id that Redis knew already: it is this very call's, sent twice. */
export const isRepeat = (draft: Draft, { id, duplicate }: Enqueued): boolean =>
  duplicate && !(id === draft.id && draft.fingerprint === undefined)

/** What is told of a task that was there before: its time, zone and trace are its own. */
const pastOf = ({ dueAt, body }: StoredTask): Partial<EnqueuedTask> => {
  const runAt = dueAt ?? body.runAt
  const traceId = traceIdOf(body.traceparent)
  return {
    ...(runAt === undefined ? {} : { runAt: iso(runAt) }),
    ...(body.tz === undefined ? {} : { tz: body.tz }),
    ...(traceId === undefined ? {} : { traceId }),
  }
}

/** What the caller hears. Zone and trace of a repeat that was not looked up are not known. */
export function enqueuedTask({ draft, when, enqueued, traceId, first }: Answer): EnqueuedTask {
  const duplicate = isRepeat(draft, enqueued)
  return {
    id: enqueued.id,
    type: first?.body.type ?? draft.entry.type,
    queue: draft.partition.queue,
    state: enqueued.state,
    duplicate,
    ...(enqueued.dueAt === undefined ? {} : { runAt: iso(enqueued.dueAt) }),
    ...(when.tz === undefined || duplicate ? {} : { tz: when.tz }),
    ...(traceId === undefined || duplicate ? {} : { traceId }),
    ...(first === undefined ? {} : pastOf(first)),
  }
}

/** The same of a task that was there before. */
export function foundTask(draft: Draft, { id, state, task }: First): EnqueuedTask {
  return {
    id,
    type: task?.body.type ?? draft.entry.type,
    queue: draft.partition.queue,
    state: task?.state ?? state,
    duplicate: true,
    ...(task && pastOf(task)),
  }
}
