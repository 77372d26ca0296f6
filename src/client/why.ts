import type { StoredTask } from '../core/broker.js'
import { iso } from '../core/clock.js'
import { formatDuration, roughDuration } from '../core/duration.js'
import { suspectAfter } from '../core/retry.js'
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
  /** Since when there are none, where that is known. */
  readonly workerless?: number | undefined
  /** False where no kernel has ever told of its type. */
  readonly known?: boolean | undefined
  /** Runs at most, where it is known. */
  readonly attempts?: number | undefined
  /** Where the task waits in a queue that has limits. */
  readonly limited?: Limited | undefined
  /** Tasks that end in a second, of late; undefined where none did. */
  readonly rate?: number | undefined
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

/** What keeps a whole queue from going on, or its limits this one; undefined where nothing does. */
function holdWords({ position }: StoredTask, around: Circumstances): string | undefined {
  const { queue, paused, workers, workerless, now, limited } = around
  if (paused) return `queue '${queue}' is paused`
  if (workers > 0) return limited && limitWords(position, limited)
  const since = workerless === undefined ? '' : ` for ${roughDuration(now - workerless)}`
  return `no live worker for queue '${queue}'${since}`
}

/** What is odd about this one task, wherever it waits. */
function oddWords({ body, losses }: StoredTask, { known }: Circumstances): string[] {
  const words: string[] = []
  if (known === false) words.push(`no kernel knows its type '${body.type}'`)
  if (losses >= suspectAfter) {
    words.push(`its worker was lost ${losses} times, so it runs alone in a process of its own`)
  }
  return words
}

function waitingWords(task: StoredTask, around: Circumstances): string {
  const { position } = task
  const hold = holdWords(task, around)
  const wait =
    hold === undefined && position !== undefined && position > 0 && around.rate !== undefined
      ? `, about ${roughDuration((position / around.rate) * 1000)} at the current rate`
      : ''
  const odd = oddWords(task, around)
  return [...(hold === undefined ? [] : [hold]), ...odd, `${lineWords(position)}${wait}`].join('; ')
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
  const { dueAt = 0 } = task
  const most = task.body.overrides.attempts ?? around.attempts
  const attempt = `attempt ${task.failures + 1}${most === undefined ? '' : ` of ${most}`}`
  const wait = dueAt - around.now
  const error = lastError(task)
  const start =
    wait > 0
      ? `waits ${formatDuration(wait)}, until ${iso(dueAt)}, for ${attempt}`
      : `due for ${attempt}`
  return error === undefined ? start : `${start} after ${errorWords(error)}`
}

function setAsideWords(task: StoredTask, around: Circumstances): string {
  const since = formatDuration(Math.max(around.now - task.mismatchSince, 0))
  const again = task.dueAt === undefined ? '' : `; ${dueWords(task.dueAt, around.now)}`
  return `put back since no worker has known its type or payload for ${since}${again}`
}

/** Of a task that is yet to come: once it is due, what else it waits for. */
function laterWords(words: string, task: StoredTask, around: Circumstances): string {
  const due = task.dueAt === undefined || task.dueAt <= around.now
  const hold = due ? holdWords(task, around) : undefined
  return [words, ...(hold === undefined ? [] : [hold]), ...oddWords(task, around)].join('; ')
}

function scheduledWords(task: StoredTask, around: Circumstances): string | undefined {
  const { dueAt } = task
  return dueAt === undefined ? undefined : laterWords(dueWords(dueAt, around.now), task, around)
}

/** In words, why a task is not running; undefined where it runs or has completed. */
export function whyNot(task: StoredTask, around: Circumstances): string | undefined {
  const aside = task.mismatchSince > 0 && task.dueAt !== undefined
  switch (task.state) {
    case 'scheduled':
      return aside ? setAsideWords(task, around) : scheduledWords(task, around)
    case 'retryable':
      return aside
        ? setAsideWords(task, around)
        : laterWords(retryWords(task, around), task, around)
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
