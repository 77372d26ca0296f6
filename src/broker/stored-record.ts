import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import type { State } from '../core/state.js'
import type { AttemptRecord, OutcomeName, TaskError } from '../core/task.js'
import { decodeTask } from './record.js'

interface AttemptLine {
  readonly n: number
  readonly s: number
  readonly e: number
  readonly o: OutcomeName
  readonly x?: TaskError
}

function parseAttempts(text: string): AttemptRecord[] {
  const records: AttemptRecord[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      const { n, s, e, o, x } = JSON.parse(line) as AttemptLine
      records.push({
        attempt: n,
        startedAt: iso(s),
        endedAt: iso(e),
        outcome: o,
        ...(x ? { error: x } : {}),
      })
    } catch {
      // A line that cannot be read is left out; it must not hide the others.
    }
  }
  return records
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function completion(record: string) {
  const end = record.indexOf('\n')
  const [startedAt, attempt] = record.slice(0, end).split(' ').map(Number)
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(attempt === undefined ? {} : { completedAttempt: attempt }),
    ...(record.length > end + 1 ? { result: parseJson(record.slice(end + 1)) } : {}),
  }
}

function whereabouts(state: State, value: string): Partial<StoredTask> {
  switch (state) {
    case 'active': {
      const [fence = '', , worker = ''] = value.split(' ')
      return { fence, worker, startedAt: Math.floor(Number(fence) / 1000) }
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
  const [failures = 0, losses = 0, , mismatchSince = 0] =
    past === '' ? [] : past.slice(0, end).split(' ').map(Number)
  const attempts = parseAttempts(past.slice(end + 1))
  const last = attempts.at(-1)
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
    ...(last && state !== 'waiting' && state !== 'scheduled'
      ? { startedAt: Date.parse(last.startedAt) }
      : {}),
    ...whereabouts(state as State, value),
    ...(result === '' ? {} : completion(result)),
    ...(progress === '' ? {} : { progress: parseJson(progress) }),
    ...(place === '' ? {} : { position: Number(place) }),
  }
}
