import type { Enqueued, NewTask, Partition } from '../core/broker.js'
import { isRedisDistroError } from '../core/errors.js'
import type { DirectoryEntry, EnqueuedTask } from './contract.js'
import { batchId, newId } from './ids.js'
import { jsonCopy } from './json-copy.js'
import { partitionOf } from './placement.js'

/** Tasks of one call that need nothing but to be written, and where they go. */
export interface PlainCall {
  readonly partition: Partition
  readonly tasks: readonly NewTask[]
}

const noOverrides = {}
const noTags: readonly string[] = []

function copied(payload: unknown): { readonly payload: unknown } | undefined {
  try {
    return { payload: jsonCopy(payload) }
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
    return undefined
  }
}

/**
 * Drafts tasks without options, of a type that is known here and whose check waits for nothing; most
 * calls are such, and this is their whole cost before the send. undefined where anything is wrong or
 * not so plain: the long way then finds out what. `enqueuedAt` in ms by Redis's clock.
 */
export function plainCall(
  entry: DirectoryEntry,
  payloads: readonly unknown[],
  { enqueuedAt, single }: { readonly enqueuedAt: number; readonly single: boolean },
): PlainCall | undefined {
  const base = newId()
  const tasks: NewTask[] = []
  for (const given of payloads) {
    const copy = copied(given)
    if (copy === undefined) return undefined
    const { payload } = copy
    const checked = entry.check(payload)
    if (checked instanceof Promise || !checked.ok) return undefined
    tasks.push({
      id: single ? base : batchId(base, tasks.length),
      priority: 'normal',
      body: { type: entry.type, payload, enqueuedAt, overrides: noOverrides, tags: noTags },
      deadLetter: entry.deadLetter,
    })
  }
  return { partition: partitionOf(entry.queue, entry.partitions, base), tasks }
}

/** What the caller of a plain task hears; its id is this call's own, so that it is no duplicate. */
export const plainAnswer = (
  { type, queue }: DirectoryEntry,
  { id, state }: Enqueued,
): EnqueuedTask => ({ id, type, queue, state, duplicate: false })
