import type { Broker, Partition, StoredTask } from '../core/broker.js'
import type { Draft } from './draft.js'
import { fingerprintOf } from './ids.js'
import { partitionOf } from './placement.js'
import type { Problem } from './problem.js'

/** True where the key of its batch made the id. */
export const isOfBatch = ({ fingerprint, options }: Draft): boolean =>
  fingerprint !== undefined && options.taskId === undefined && options.idempotencyKey === undefined

/** The problem of an id that was used before with another payload. */
export const differs = (draft: Draft): Problem => {
  if (isOfBatch(draft)) {
    const message = 'this key was used before, for another batch'
    return { code: 'payload_differs', issues: [{ path: 'idempotencyKey', message }] }
  }
  const path = draft.options.taskId === undefined ? 'idempotencyKey' : 'taskId'
  const message = `task '${draft.id}' exists with another payload; nothing of this one was written`
  return { code: 'payload_differs', message, issues: [{ path, message }] }
}

/** Groups by partition, by the indices of `items`. */
export function byPartition<Item>(
  items: readonly Item[],
  placeOf: (item: Item) => Partition,
): Map<Partition, number[]> {
  const groups = new Map<Partition, number[]>()
  for (const [index, item] of items.entries()) {
    const partition = placeOf(item)
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [index])
    else group.push(index)
  }
  return groups
}

export const partitionOfDraft = (draft: Draft): Partition =>
  partitionOf(draft.queue, draft.partitions, draft.id)

/** Looks up the first tasks of ids that their callers chose, in the drafts' order. */
export async function firstsOf(
  broker: Broker,
  drafts: readonly Draft[],
): Promise<(StoredTask | undefined)[]> {
  const found: (StoredTask | undefined)[] = drafts.map(() => undefined)
  const groups = byPartition(drafts, partitionOfDraft)
  await Promise.all(
    [...groups].map(async ([partition, indices]) => {
      const ids = indices.flatMap((index) => drafts[index]?.id ?? [])
      const tasks = await broker.find(partition, ids)
      for (const [n, index] of indices.entries()) found[index] = tasks[n]
    }),
  )
  return found
}

/** True where the task that lies there is this draft's first. */
export const isFirstOf = (draft: Draft, task: StoredTask): boolean =>
  fingerprintOf(task.body.payload) === fingerprintOf(draft.payload)
