import type { NewTask } from '../core/broker.js'
import { isStoreError, RedisDistroError } from '../core/errors.js'

/** How far a call came whose sending failed. */
export interface Failure {
  readonly error: unknown
  /** Those that were on their way. */
  readonly tasks: readonly Pick<NewTask, 'id' | 'fingerprint'>[]
  /** How many tasks the call has, with those that were written before. */
  readonly total: number
  /** How many of all Redis said that it has written. */
  readonly written: number
  /** True where others may have been written. */
  readonly doubt: boolean
}

/** How a person repeats this call without harm. */
function advice({ tasks, total }: Failure): string {
  const id = tasks[0]?.id ?? ''
  if (id.startsWith('idem-')) return 'repeat with the same idempotencyKey'
  if (total === 1) return `repeat with the same taskId '${id}'`
  const chosen = tasks.every((task) => task.fingerprint !== undefined)
  return chosen
    ? 'repeat with the same ids'
    : `look for ids from '${id}' before repeating, and give an idempotencyKey to make repeats harmless`
}

const subject = ({ tasks, total }: Failure): string =>
  total === 1 ? `task '${tasks[0]?.id}'` : `the ${total} tasks`

function wordsOf(failure: Failure): string {
  const { total, written, doubt } = failure
  if (doubt) {
    const sure = total > 1 && written > 0 ? ` (${written} of them were)` : ''
    return `${subject(failure)} may have been written${sure}; ${advice(failure)}`
  }
  if (written === 0) return `nothing of ${subject(failure)} was written; it can be repeated`
  return `${written} of ${subject(failure)} were written, the others not; ${advice(failure)}`
}

const reasons: Record<string, string> = {
  store_away: 'Redis did not take the call',
  store_unknown: 'Redis did not answer',
  store_full: 'Redis is out of memory and refuses new tasks',
}

/** The error of one caller, which says what of its tasks is in Redis and how to repeat. */
export function sendError(failure: Failure): unknown {
  const { error, written, doubt } = failure
  if (!isStoreError(error)) return error
  const code = doubt || written > 0 ? 'store_unknown' : error.code
  const reason = error.reason ?? reasons[error.code] ?? error.message
  return new RedisDistroError(code, `${reason}: ${wordsOf(failure)}`, { cause: error })
}
