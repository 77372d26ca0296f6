import { createHash, randomUUID } from 'node:crypto'
import { systemClock } from '../core/clock.js'
import { deepest } from './json-copy.js'

let lastMs = -1
let lastTime = ''

/** The first 48 bits of a UUIDv7, as it is written; most ids are made in the last one's millisecond. */
function timePart(ms: number): string {
  if (ms !== lastMs) {
    const digits = ms.toString(16).padStart(12, '0')
    lastTime = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
    lastMs = ms
  }
  return lastTime
}

/**
 * A new id: a UUIDv7, so that ids sort by the millisecond of their birth. It has its random bits,
 * and the variant before them, where a random UUID has them.
 */
export const newId = (): string => timePart(systemClock.now()) + randomUUID().slice(15)

/** The id that an idempotency key makes: the same for the same type and key, wherever it is made. */
export const idOfKey = (type: string, key: string): string =>
  `idem-${createHash('sha256').update(`${type}\n${key}`).digest('hex').slice(0, 32)}`

/** The id of the nth task of a batch. */
export const batchId = (base: string, index: number): string => `${base}.${index}`

/**
 * Text of a JSON value that does not depend on the order of its keys. What lies deeper than any
 * payload that is taken is left out: a batch is named before its payloads are looked at.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth > deepest + 2) return 'null'
  if (Array.isArray(value)) {
    return `[${value.map((element) => canonicalJson(element, depth + 1)).join(',')}]`
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`)
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
