import { z } from 'zod'
import { overlaid, partPayload } from '../client/beside.js'
import type { EnqueueEntry, Enqueuer, TypeEntry } from '../client/contract.js'
import { isRedisDistroError } from '../core/errors.js'
import { wrong } from './problem.js'

type Options = Readonly<Record<string, unknown>>
type Fields = TypeEntry['fields']

const elementSchema = z.strictObject({
  type: z.string({ error: 'must be the name of a task type' }).min(1, 'must not be empty'),
  payload: z.unknown(),
  options: z.record(z.string(), z.unknown(), 'must be an object').optional(),
})

/**
 * The elements of a batch's body, `most` of them.
 * @throws RedisDistroError `bad_payload` where it is no array, or has none or too many
 */
export function elementsOf(body: unknown, most: number): unknown[] {
  const refuse = (message: string) => wrong('bad_payload', [{ path: '', message }])
  if (!Array.isArray(body)) throw refuse('the body must be a JSON array, or NDJSON')
  if (body.length === 0) throw refuse('at least one element is wanted')
  if (body.length > most) {
    throw refuse(`at most ${most} elements are taken at once (http.batchLimit)`)
  }
  return body
}

/** An element of a mixed batch; where it is malformed, what is wrong with it instead. */
function readElement(element: unknown): EnqueueEntry {
  const { success, data, error } = elementSchema.safeParse(element)
  if (success) return data
  const issues = error.issues.map(({ path, code, message }) => ({
    path: path.map(String).join('.'),
    message:
      path.length > 0 || code === 'unrecognized_keys'
        ? message
        : 'must be an object { type, payload, options? }',
  }))
  return { type: '', payload: undefined, issues }
}

/** The fields of a type, or undefined: of what is not known the enqueuer tells, by its index. */
async function fieldsOf(enqueuer: Enqueuer, type: string): Promise<Fields | undefined> {
  try {
    return (await enqueuer.type(type)).fields
  } catch (error) {
    if (isRedisDistroError(error) && error.code === 'unknown_type') return undefined
    throw error
  }
}

/** One look-up a type, and none of malformed elements. */
async function fieldsByType(
  enqueuer: Enqueuer,
  entries: readonly EnqueueEntry[],
): Promise<Map<string, Fields | undefined>> {
  const sound = entries.filter(({ issues }) => issues === undefined)
  const types = [...new Set(sound.map(({ type }) => type))]
  const found = await Promise.all(types.map((type) => fieldsOf(enqueuer, type)))
  return new Map(types.map((type, index) => [type, found[index]]))
}

/**
 * The elements of a mixed batch as entries. An element's `options` win over what lies beside its
 * payload's fields, and the query over both.
 */
export async function mixedEntries(
  enqueuer: Enqueuer,
  elements: readonly unknown[],
  query: Options,
): Promise<EnqueueEntry[]> {
  const entries = elements.map(readElement)
  const fields = await fieldsByType(enqueuer, entries)
  return entries.map((entry) => {
    if (entry.issues !== undefined) return entry
    const { type, options = {} } = entry
    const own = fields.get(type)
    if (own === undefined) return { ...entry, options: overlaid(options, query) }
    const { payload, options: beside } = partPayload(entry.payload, own)
    return { type, payload, options: overlaid(overlaid(beside, options), query) }
  })
}
