import { z } from 'zod'
import { RedisDistroError } from '../core/errors.js'
import { type State, states } from '../core/state.js'

/** A place in the walk over queues, partitions and states: where a next page begins. */
export interface Place {
  readonly queue: string
  readonly index: number
  readonly state: State
  /** What the broker returned as `next`; undefined for a set's beginning. */
  readonly after?: string | undefined
  /** Records past `after` that earlier pages have shown or passed over. */
  readonly skip: number
}

const placeSchema = z.tuple([
  z.string(),
  z.int().min(0),
  z.enum(states),
  z.string().nullable(),
  z.int().min(0),
])

/** Opaque text for callers to hand back. */
export function writeCursor({ queue, index, state, after, skip }: Place): string {
  return Buffer.from(JSON.stringify([queue, index, state, after ?? null, skip])).toString(
    'base64url',
  )
}

/** @throws RedisDistroError `bad_option` for what {@link writeCursor} did not write */
export function readCursor(cursor: string): Place {
  try {
    const text = Buffer.from(cursor, 'base64url').toString()
    const [queue, index, state, after, skip] = placeSchema.parse(JSON.parse(text))
    return { queue, index, state, after: after ?? undefined, skip }
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
