import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { State } from '../core/state.js'
import type { AttemptRecord, OutcomeName, TaskError } from '../core/task.js'
import { decodeTask, readCounts } from './blob.js'

interface AttemptLine {
  readonly n: number
  /** Left out where the attempt never began. */
  readonly s?: number
  readonly e: number
  readonly o: OutcomeName
  readonly x?: TaskError
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
    try {
      const { n, s, e, o, x } = JSON.parse(line) as AttemptLine
      attempts.push({
        attempt: n,
        startedAt: iso(show(s ?? e)),
        endedAt: iso(show(e)),
        outcome: o,
        ...(x ? { error: x } : {}),
      })
      startedAt = s ?? startedAt
    } catch {
      // A line that cannot be read is left out; it must not hide the others.
    }
  }
  return { attempts, ...(startedAt === undefined ? {} : { startedAt: show(startedAt) }) }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function completion(record: string, show: (ms: number) => number) {
  const [head = '', result = '', progress = ''] = record.split('\n')
  const [startedAt, attempt] = /^\d+ \d+$/.test(head) ? head.split(' ').map(Number) : []
  return {
    ...(startedAt === undefined ? {} : { startedAt: show(startedAt) }),
    ...(attempt === undefined ? {} : { completedAttempt: attempt }),
    ...(result === '' ? {} : { result: parseJson(result) }),
    ...(progress === '' ? {} : { progress: parseJson(progress) }),
  }
}

function whereabouts(
  state: State,
  value: string,
  show: (ms: number) => number,
): Partial<StoredTask> {
  switch (state) {
    case 'active': {
      const [fence = '', , worker = ''] = value.split(' ')
      return { fence, worker, startedAt: show(Math.floor(Number(fence) / 1000)) }
    }
    case 'scheduled':
    case 'retryable':
      return { dueAt: Math.floor(Number(value)) }
    case 'completed':
    case 'dead':
    case 'cancelled':
      return { endedAt: Math.floor(Number(value)) }
    case 'waiting':
      return {}
  }
}

/** A task out of the seven fields of `describe`; undefined where Redis holds none of this id. */
export function decodeStored(id: string, fields: readonly string[]): StoredTask | undefined {
  const [blob = '', state = '', value = '', past = '', result = '', progress = '', place = ''] =
    fields
  if (state === '') return undefined
  const { priority, body, deadLetter } = decodeTask(blob)
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
    ...(progress === '' ? {} : { progress: parseJson(progress) }),
    ...(place === '' ? {} : { position: Number(place) }),
  }
}
