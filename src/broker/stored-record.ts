import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { State } from '../core/state.js'
import type { AttemptRecord, OutcomeName, TaskError } from '../core/task.js'
import { decodeTask, lastInstant, readCounts } from './blob.js'

/** Undefined where a text is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A line of a history; `s` is left out where the attempt never began. */
interface AttemptLine {
  readonly n: number
  readonly s?: number
  readonly e: number
  readonly o: OutcomeName
  readonly x?: TaskError
}

const isInstant = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= lastInstant
const isText = (value: unknown): value is string => typeof value === 'string'

/** An instant out of a score or a number that was stored; undefined where it is none. */
function instant(text: string): number | undefined {
  const ms = Math.floor(Number(text))
  return text !== '' && isInstant(ms) ? ms : undefined
}

const isError = (value: unknown): value is TaskError => {
  if (typeof value !== 'object' || value === null) return false
  const { name, message, code, stack } = value as Record<string, unknown>
  const optional = [code, stack].every((each) => each === undefined || isText(each))
  return isText(name) && isText(message) && optional
}

const outcomes: readonly unknown[] = [
  'complete',
  'retry',
  'bury',
  'release',
  'cancel',
] satisfies OutcomeName[]

/** A line of a history; undefined where it says anything but what was written there. */
function readLine(text: string): AttemptLine | undefined {
  const line = readJson(text)
  if (typeof line !== 'object' || line === null) return undefined
  const { n, s, e, o, x } = line as Record<string, unknown>
  const started = s === undefined || isInstant(s)
  const failed = x === undefined || isError(x)
  const right = Number.isSafeInteger(n) && started && isInstant(e) && outcomes.includes(o) && failed
  return right ? (line as AttemptLine) : undefined
}

/**
 * An enqueuer knows Redis's clock to some ms only, so that a run may seem to begin before it; more
 * than a second is no such error, and is shown as it is.
 */
const notBefore = (first: number) => (ms: number) => (ms < first && first - ms < 1000 ? first : ms)

interface History {
  readonly attempts: AttemptRecord[]
  /** Of the last attempt that began, in ms. */
  readonly startedAt?: number
}

function parseAttempts(text: string, show: (ms: number) => number): History {
  const attempts: AttemptRecord[] = []
  let startedAt: number | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    // A line that cannot be read is left out; it must not hide the others.
    const read = readLine(line)
    if (read === undefined) continue
    const { n, s, e, o, x } = read
    attempts.push({
      attempt: n,
      startedAt: iso(show(s ?? e)),
      endedAt: iso(show(e)),
      outcome: o,
      ...(x ? { error: x } : {}),
    })
    startedAt = s ?? startedAt
  }
  return { attempts, ...(startedAt === undefined ? {} : { startedAt: show(startedAt) }) }
}

function completion(record: string, show: (ms: number) => number) {
  const [head = '', result = '', progress = ''] = record.split('\n')
  const [first = '', attempt] = /^\d+ \d+$/.test(head) ? head.split(' ') : []
  const startedAt = instant(first)
  return {
    ...(startedAt === undefined ? {} : { startedAt: show(startedAt) }),
    ...(attempt === undefined ? {} : { completedAttempt: Number(attempt) }),
    ...(result === '' ? {} : { result: readJson(result) }),
    ...(progress === '' ? {} : { progress: readJson(progress) }),
  }
}

function whereabouts(
  state: State,
  value: string,
  show: (ms: number) => number,
): Partial<StoredTask> {
  // A score that a person wrote may be no time at all.
  const time = instant(value)
  switch (state) {
    case 'active': {
      const [fence = '', , worker = ''] = value.split(' ')
      const leasedAt = instant(String(Number(fence) / 1000))
      return { fence, worker, ...(leasedAt === undefined ? {} : { startedAt: show(leasedAt) }) }
    }
    case 'scheduled':
    case 'retryable':
      return time === undefined ? {} : { dueAt: time }
    case 'completed':
    case 'dead':
    case 'cancelled':
      return time === undefined ? {} : { endedAt: time }
    case 'waiting':
      return {}
  }
}

/** A task out of the seven fields of `describe`; undefined where Redis holds none of this id. */
export function decodeStored(id: string, fields: readonly string[]): StoredTask | undefined {
  const [blob = '', state = '', value = '', past = '', result = '', progress = '', place = ''] =
    fields
  if (state === '') return undefined
  const { priority, body, deadLetter, broken } = decodeTask(blob)
  const end = past.indexOf('\n')
  const { failures, losses, mismatchSince } = readCounts(past.slice(0, end))
  const show = notBefore(body.enqueuedAt)
  const { attempts, startedAt } = parseAttempts(past.slice(end + 1), show)
  return {
    id,
    state: state as State,
    priority,
    body,
    deadLetter,
    attempts,
    failures,
    losses,
    mismatchSince,
    ...(startedAt !== undefined && state !== 'waiting' && state !== 'scheduled'
      ? { startedAt }
      : {}),
    ...whereabouts(state as State, value, show),
    ...(result === '' ? {} : completion(result, show)),
    ...(progress === '' ? {} : { progress: readJson(progress) }),
    ...(place === '' ? {} : { position: Number(place) }),
    ...(broken === undefined ? {} : { broken }),
  }
}
