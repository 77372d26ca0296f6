import { batchId, batchPrint, idOfKey, newId } from './ids.js'

/** Makes the ids of one call's tasks, where their callers chose none. */
export interface Naming {
  next(): string
  /** Of a batch under a key: fingerprint of the whole, which is remembered with each id. */
  readonly print?: string
  /** True where the key speaks of no one type, so that its first may lie in any queue. */
  readonly anywhere?: boolean
}

/** Ids of tasks that are enqueued one by one. */
export const singly: Naming = { next: newId }

/** A batch that may be known again by its key. */
export interface NamedBatch {
  readonly key: string | undefined
  /** The type that the key speaks of; undefined for a batch of any types. */
  readonly type: string | undefined
  readonly elements: readonly { readonly type: string; readonly payload: unknown }[]
}

/** No name of a type, so that a batch of one type and one of any types do not meet. */
const anyType = '*'

/** Ids of a batch: one base with `.n`; a key makes the same ones each time. */
export function nameBatch({ key, type, elements }: NamedBatch): Naming {
  const base = key === undefined ? newId() : idOfKey(type ?? anyType, key)
  let used = 0
  const next = () => batchId(base, used++)
  if (key === undefined) return { next }
  return { next, print: batchPrint(elements), anywhere: type === undefined }
}
