import type { LeasedTask, NewTask, TaskFlags } from '../core/broker.js'
import { priorities, type TaskBody } from '../core/task.js'

const uniqueModes = ['none', 'held', 'timed'] as const

/** The dead-letter key that a record need not name. */
const usual = 'dead'

/** The part of a body that most tasks do without, as JSON. */
type Rest = Pick<TaskBody, 'overrides' | 'tags' | 'traceparent' | 'tz'>

/** Level in the lowest two bits, then own id, expires, and two bits of the unique mode. */
function flagsOf(task: NewTask): number {
  const own = task.fingerprint === undefined ? 0 : 4
  const expires = task.expiresIn === undefined ? 0 : 8
  const unique = task.unique === undefined ? 0 : task.unique.for === undefined ? 16 : 32
  return priorities.indexOf(task.priority) + own + expires + unique
}

function restOf({ overrides, tags, traceparent, tz }: TaskBody): string {
  const { attempts, timeout } = overrides
  const plain = attempts === undefined && timeout === undefined && tags.length === 0
  if (plain && traceparent === undefined && tz === undefined) return ''
  return `\n${JSON.stringify({ overrides, tags, traceparent, tz })}`
}

/**
 * A task as it is written once, in lines, since each byte of it is held in memory a million times:
 * a header that Lua may split (flags in one character from `0`, then dead-letter key and
 * percent-encoded unique key where they are not the usual ones); type and enqueue time in base 36;
 * the payload's JSON; and, where there is anything else, a last line of JSON. The script that takes
 * a task for later adds its due time to the header: only Redis knows it exactly.
 */
export function encodeTask(task: NewTask): string {
  const { body, deadLetter, unique } = task
  const letter = deadLetter === usual ? '' : deadLetter
  const key = unique === undefined ? '' : ` ${encodeURIComponent(unique.key)}`
  const words = letter === '' && key === '' ? '' : ` ${letter}${key}`
  const header = `${String.fromCharCode(48 + flagsOf(task))}${words}`
  const payload = JSON.stringify(body.payload) ?? ''
  return `${header}\n${body.type} ${body.enqueuedAt.toString(36)}\n${payload}${restOf(body)}`
}

export interface Decoded {
  readonly priority: LeasedTask['priority']
  readonly flags: TaskFlags
  readonly deadLetter: string
  readonly uniqueKey: string
  readonly body: TaskBody
  readonly broken: string | undefined
}

const noOverrides: TaskBody['overrides'] = {}
const noTags: readonly string[] = []
const unreadable: TaskBody = {
  type: '',
  payload: null,
  enqueuedAt: 0,
  overrides: noOverrides,
  tags: noTags,
}

/** The last instant that a date can hold, in ms. */
export const lastInstant = 8.64e15

const isText = (value: unknown) => value === undefined || typeof value === 'string'
const isAmount = (value: unknown) => value === undefined || typeof value === 'number'
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The last line; undefined where it says anything but what `restOf` writes. */
function readRest(line: string): Rest | undefined {
  const rest: unknown = JSON.parse(line)
  if (!isObject(rest)) return undefined
  const { overrides, tags, traceparent, tz } = rest
  if (!isObject(overrides) || !isAmount(overrides.attempts) || !isAmount(overrides.timeout)) {
    return undefined
  }
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return undefined
  if (!isText(traceparent) || !isText(tz)) return undefined
  return {
    overrides,
    tags,
    ...(traceparent === undefined ? undefined : { traceparent: traceparent as string }),
    ...(tz === undefined ? undefined : { tz: tz as string }),
  }
}

const instantShape = /^[0-9a-z]+(\.[0-9a-z]+)?$/

/** In base 36, as `toString` writes it; undefined where it is no instant. */
function readInstant(text: string): number | undefined {
  if (!instantShape.test(text)) return undefined
  const ms = Number.parseInt(text, 36)
  return ms > lastInstant ? undefined : ms
}

let lastType = ''

/** The type, as the same text where it is the last one's: what is looked up by it is found faster. */
function typeOf(blob: string, start: number, end: number): string {
  if (end - start !== lastType.length || !blob.startsWith(lastType, start)) {
    // A copy: a slice would keep the whole record as long as somebody counts by the type.
    lastType = Buffer.from(blob.slice(start, end)).toString()
  }
  return lastType
}

/** What stands behind the header; undefined where it cannot be read. */
function readBody(blob: string, start: number): TaskBody | undefined {
  const second = blob.indexOf('\n', start)
  if (second === -1) return undefined
  const gap = blob.indexOf(' ', start)
  if (gap === -1 || gap > second) return undefined
  const enqueuedAt = readInstant(blob.slice(gap + 1, second))
  if (enqueuedAt === undefined) return undefined
  // JSON has no bare line break, so that the next one ends it.
  const third = blob.indexOf('\n', second + 1)
  const text = third === -1 ? blob.slice(second + 1) : blob.slice(second + 1, third)
  try {
    const payload: unknown = text === '' ? undefined : JSON.parse(text)
    const type = typeOf(blob, start, gap)
    const body = { type, payload, enqueuedAt, overrides: noOverrides, tags: noTags }
    if (third === -1) return body
    const rest = readRest(blob.slice(third + 1))
    return rest && { ...body, ...rest }
  } catch {
    return undefined
  }
}

/** What each value of the flags says; tasks share them. */
const flagsRead: readonly TaskFlags[] = Array.from({ length: 48 }, (_, flags) => ({
  own: (flags & 4) !== 0,
  expires: (flags & 8) !== 0,
  unique: uniqueModes[flags >> 4] ?? 'none',
}))
const usualFlags: TaskFlags = { own: false, expires: false, unique: 'none' }
/** Of a header that cannot be read: normal, and it may have had an id of its own, and an expiry. */
const unknownFlags = 1 + 4 + 8
const noWords: readonly string[] = []

/** As Lua reads it too: the two must agree on where a task lies. */
const headerShape = /^([0-_]) ?([\w.:-]*) ?([!-~]*) ?(\d*)\n/

/** The reverse of `encodeTask`; a record that cannot be read says so in `broken`, and stops nobody. */
export function decodeTask(blob: string): Decoded {
  const end = blob.indexOf('\n')
  const first = blob.charCodeAt(0) - 48
  const inRange = end > 0 && first >= 0 && first < 48
  // Most headers are the flags alone.
  const words = inRange && end > 1 ? headerShape.exec(blob) : noWords
  const readable = inRange && words !== null
  const [, , deadLetter = '', uniqueKey = '', due = ''] = words ?? noWords
  const flags = readable ? first : unknownFlags
  const dueRight = Number(due) <= lastInstant
  const body = readable && dueRight ? readBody(blob, end + 1) : undefined
  return {
    priority: priorities[flags & 3] ?? 'normal',
    flags: flagsRead[flags] ?? usualFlags,
    deadLetter: deadLetter || usual,
    uniqueKey,
    body: due === '' || !body ? (body ?? unreadable) : { ...body, runAt: Number(due) },
    broken: body ? undefined : `its record cannot be read: ${blob.slice(0, 200)}`,
  }
}

interface Counts {
  readonly failures: number
  readonly losses: number
  readonly deaths: number
  readonly mismatchSince: number
}

const noCounts: Counts = { failures: 0, losses: 0, deaths: 0, mismatchSince: 0 }

/** The first line of what `attempts` holds of a task; zeros where there is none that can be read. */
export function readCounts(line: string): Counts {
  if (line === '') return noCounts
  const [failures = 0, losses = 0, deaths = 0, mismatchSince = 0] = /^\d+ \d+ \d+ \d+$/.test(line)
    ? line.split(' ').map(Number)
    : []
  return { failures, losses, deaths, mismatchSince }
}
