import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import type { TaskError } from '../core/task.js'
import { type Limited, limitWords } from './why-limits.js'

/** What is known around a task when it is asked why it does not run; times in ms. */
export interface Circumstances {
  /** Redis's time as it is known here. */
  readonly now: number
  readonly queue: string
  readonly paused: boolean
  /** Live workers of the task's partition. */
  readonly workers: number
  /** Runs at most, where it is known. */
  readonly attempts?: number | undefined
  /** Where the task waits in a queue that has limits. */
  readonly limited?: Limited | undefined
}

const dueWords = (dueAt: number, now: number): string =>
  dueAt > now ? `due in ${formatDuration(dueAt - now)}, at ${iso(dueAt)}` : 'due now'

function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')
  return `${n}${ending}`
}

function lineWords(position: number | undefined): string {
  if (position === undefined) return 'waits for a worker'
  return position === 0 ? 'first in line' : `${ordinal(position + 1)} in line behind ${position}`
}

function waitingWords(task: StoredTask, around: Circumstances): string {
  const line = lineWords(task.position)
  if (around.paused) return `queue '${around.queue}' is paused; ${line}`
  if (around.workers === 0) return `no live worker for queue '${around.queue}'; ${line}`
  const held = around.limited && limitWords(task.position, around.limited)
  return held === undefined ? line : `${held}; ${line}`
}

/** The error of the last attempt that had one; undefined where none ever failed. */
export function lastError(task: StoredTask): TaskError | undefined {
  for (let index = task.attempts.length - 1; index >= 0; index--) {
    const error = task.attempts[index]?.error
    if (error !== undefined) return error
  }
  return undefined
}

const errorWords = ({ name, message }: TaskError): string => `${name}: ${message}`

function retryWords(task: StoredTask, around: Circumstances): string {
  const most = task.body.overrides.attempts ?? around.attempts
  const attempt = `attempt ${task.failures + 1}${most === undefined ? '' : ` of ${most}`}`
  const wait = (task.dueAt ?? 0) - around.now
  const error = lastError(task)
  const start = wait > 0 ? `waits ${formatDuration(wait)} for ${attempt}` : `due for ${attempt}`
  return error === undefined ? start : `${start} after ${errorWords(error)}`
}

function setAsideWords(task: StoredTask, around: Circumstances): string {
  const since = formatDuration(Math.max(around.now - task.mismatchSince, 0))
  const again = task.dueAt === undefined ? '' : `; ${dueWords(task.dueAt, around.now)}`
  return `put back since no worker has known its type or payload for ${since}${again}`
}

/** In words, why a task is not running; undefined where it runs or has completed. */
export function whyNot(task: StoredTask, around: Circumstances): string | undefined {
  const aside = task.mismatchSince > 0 && task.dueAt !== undefined
  switch (task.state) {
    case 'scheduled':
      if (aside) return setAsideWords(task, around)
      return task.dueAt === undefined ? undefined : dueWords(task.dueAt, around.now)
    case 'retryable':
      return aside ? setAsideWords(task, around) : retryWords(task, around)
    case 'waiting':
      return waitingWords(task, around)
    case 'dead': {
      const error = lastError(task)
      if (error === undefined) return 'expired: it was not started within expiresIn'
      return error.code === 'expired' ? `expired: ${error.message}` : errorWords(error)
    }
    case 'cancelled':
      return 'cancelled by request'
    case 'active':
    case 'completed':
      return undefined
  }
}
