import { z } from 'zod'
import { idPattern } from '../core/enqueue-options.js'
import { RedisDistroError } from '../core/errors.js'
import { type State, states } from '../core/state.js'

/** A place in the walk over partitions and states: where a next page begins. */
export interface Place {
  /** The partition's, as `tagOf` gives it. */
  readonly tag: string
  readonly state: State
  /** What the broker returned as `next`; undefined for a set's beginning. */
  readonly after?: string | undefined
  /** Records past `after` that earlier pages have shown or passed over; former releases wrote it. */
  readonly skip: number
}

/** What brokers write: a score and an id, or the cursors of a scan and of its end and an id. */
const scored = /^-?(\d+(\.\d+)?(e[+-]?\d+)?|inf) \S*$/
const scanned = /^\d{1,19}( (\d{1,19} )?\S+)?$/
/** No page has more records than this. */
const mostSkipped = 10_000

const placeSchema = z.tuple([
  z.string(),
  z.enum(states),
  z.string().nullable(),
  z.int().min(0).max(mostSkipped),
])

/** Opaque text for callers to hand back. */
export function writeCursor({ tag, state, after, skip }: Place): string {
  return Buffer.from(JSON.stringify([tag, state, after ?? null, skip])).toString('base64url')
}

/** @throws RedisDistroError `bad_option` for what {@link writeCursor} did not write */
export function readCursor(cursor: string): Place {
  try {
    const text = Buffer.from(cursor, 'base64url').toString()
    const [tag, state, after, skip] = placeSchema.parse(JSON.parse(text))
    const shape = state === 'active' ? scanned : scored
    if (after !== null && !shape.test(after)) throw badCursor()
    return { tag, state, after: after ?? undefined, skip }
  } catch (error) {
    throw badCursor(error)
  }
}

const nameSchema = z.tuple([z.string().regex(idPattern)])

/** The same for a list by name: the last one shown. */
export const writeNameCursor = (name: string): string =>
  Buffer.from(JSON.stringify([name])).toString('base64url')

/** @throws RedisDistroError `bad_option` for what {@link writeNameCursor} did not write */
export function readNameCursor(cursor: string): string {
  try {
    const [name] = nameSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    return name
  } catch (error) {
    throw badCursor(error)
  }
}

/** The error of a cursor that leads nowhere. */
export function badCursor(cause?: unknown): RedisDistroError {
  const message = 'is not a cursor that this list gave; leave it out to start at the beginning'
  return new RedisDistroError('bad_option', `cursor: ${message}`, {
    issues: [{ path: 'cursor', message }],
    cause,
  })
}
