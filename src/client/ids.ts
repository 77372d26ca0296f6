import { createHash, randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

// Random bytes are cheap by the page and dear by the id.
const pool = new Uint8Array(16 * 256)
let used = pool.length

function randomBytes(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}

/** A new id: a UUIDv7, so that ids sort by the millisecond of their birth. */
export const newId = (): string => v7({ random: randomBytes() })

/** The id that an idempotency key makes: the same for the same type and key, wherever it is made. */
export const idOfKey = (type: string, key: string): string =>
  `idem-${createHash('sha256').update(`${type}\n${key}`).digest('hex').slice(0, 32)}`

/** The id of the nth task of a batch. */
export const batchId = (base: string, index: number): string => `${base}.${index}`

/** Text of a JSON value that does not depend on the order of its keys. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** What tells two batches apart: the same for the same types and payloads in the same order. */
export const batchPrint = (
  elements: readonly { readonly type: string; readonly payload: unknown }[],
): string => fingerprintOf(elements.map(({ type, payload }) => [type, payload ?? null]))

/** What tells two tasks of one chosen id apart: the same for the same type and payload. */
export const taskPrint = (type: string, payload: unknown): string =>
  fingerprintOf([type, payload ?? null])

/** What tells two JSON values apart: 32 hex digits, the same whatever the order of keys. */
export const fingerprintOf = (payload: unknown): string =>
  createHash('sha256').update(canonicalJson(payload)).digest('hex').slice(0, 32)
