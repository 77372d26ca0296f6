import type { NewTask } from '../core/broker.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'

/** How far a call came whose sending failed. */
export interface Failure {
  readonly error: unknown
  readonly tasks: readonly NewTask[]
  /** How many of them Redis said that it has written. */
  readonly written: number
  /** True where others may have been written. */
  readonly doubt: boolean
}

/** How a person repeats this call without harm. */
function advice(tasks: readonly NewTask[]): string {
  const id = tasks[0]?.id ?? ''
  if (id.startsWith('idem-')) return 'repeat with the same idempotencyKey'
  if (tasks.length === 1) return `repeat with the same taskId '${id}'`
  const chosen = tasks.every((task) => task.fingerprint !== undefined)
  return chosen
    ? 'repeat with the same ids'
    : `look for ids from '${id}' before repeating, and give an idempotencyKey to make repeats harmless`
}

const subject = (tasks: readonly NewTask[]): string =>
  tasks.length === 1 ? `task '${tasks[0]?.id}'` : `the ${tasks.length} tasks`

function wordsOf({ tasks, written, doubt }: Failure): string {
  if (doubt) {
    const sure = tasks.length > 1 && written > 0 ? ` (${written} of them were)` : ''
    return `${subject(tasks)} may have been written${sure}; ${advice(tasks)}`
  }
  if (written === 0) return `nothing of ${subject(tasks)} was written; it can be repeated`
  return `${written} of ${subject(tasks)} were written, the others not; ${advice(tasks)}`
}

const reasons: Record<string, string> = {
  store_away: 'Redis did not take the call',
  store_unknown: 'Redis did not answer',
  store_full: 'Redis is out of memory and refuses new tasks',
}

/** The error of one caller, which says what of its tasks is in Redis and how to repeat. */
export function sendError(failure: Failure): unknown {
  const { error, written, doubt } = failure
  if (!isRedisDistroError(error) || error.family !== 'infrastructure') return error
  const code = doubt || written > 0 ? 'store_unknown' : error.code
  const reason = reasons[error.code] ?? error.message
  return new RedisDistroError(code, `${reason}: ${wordsOf(failure)}`, { cause: error })
}
