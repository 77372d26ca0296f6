import { createHash } from 'node:crypto'
import { RedisDistroError } from '../core/errors.js'

/** How far the events of a partition were told. */
export interface EventPlace {
  /** The entry told last. */
  readonly id: string
  /** Events told of that entry; undefined where it was told whole. */
  readonly done?: number
}

const partsOf = (id: string): [number, number] => {
  const [ms = 0, sequence = 0] = id.split('-').map(Number)
  return [ms, sequence]
}

/** True where an entry's id is lower than another's. */
export function isBehind(id: string, other: string): boolean {
  const [ms, sequence] = partsOf(id)
  const [otherMs, otherSequence] = partsOf(other)
  return ms === otherMs ? sequence < otherSequence : ms < otherMs
}

const letters = new Map<string, string>()

/** A partition in few letters, since a cursor names every one. */
function lettersOf(tag: string): string {
  const known = letters.get(tag)
  if (known !== undefined) return known
  const made = createHash('sha1').update(tag).digest('base64url').slice(0, 6)
  letters.set(tag, made)
  return made
}

/** The place of one partition in a cursor, whose parts are joined by `~`. */
export function writePlace(tag: string, { id, done }: EventPlace): string {
  const [ms, sequence] = id.split('-').map((text) => Number(text).toString(36))
  const place = `${lettersOf(tag)}.${ms}.${sequence}`
  return done === undefined ? place : `${place}.${done.toString(36)}`
}

const shape = /^([\w-]{6})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})(?:\.([0-9a-z]{1,6}))?$/

function badCursor(): RedisDistroError {
  const message = 'is not the id of an event that this server gave; leave it out to begin now'
  return new RedisDistroError('bad_option', `lastEventId: ${message}`, {
    issues: [{ path: 'lastEventId', message }],
  })
}

/**
 * The place of a partition by its tag, undefined where the cursor names none.
 * @throws RedisDistroError `bad_option` for what {@link writePlace} did not write
 */
export function readEventCursor(cursor: string): (tag: string) => EventPlace | undefined {
  const places = new Map<string, EventPlace>()
  for (const part of cursor.split('~')) {
    const [, name, ms, sequence, done] = shape.exec(part) ?? []
    if (name === undefined || ms === undefined || sequence === undefined) throw badCursor()
    const id = `${Number.parseInt(ms, 36)}-${Number.parseInt(sequence, 36)}`
    places.set(name, done === undefined ? { id } : { id, done: Number.parseInt(done, 36) })
  }
  return (tag) => places.get(lettersOf(tag))
}
