import type { AttemptRecord, Task } from '../core/task.js'
import { type Column, pairs, stateStyle, table } from './output.js'

const columns: readonly Column<Task>[] = [
  { head: 'ID', cell: ({ id }) => id },
  { head: 'TYPE', cell: ({ type }) => type, flexible: true },
  { head: 'QUEUE', cell: ({ queue }) => queue, flexible: true },
  { head: 'STATE', cell: ({ state }) => state, style: ({ state }) => stateStyle(state) },
  { head: 'ATTEMPT', cell: ({ attempt }) => attempt, align: 'right', spare: 1 },
  { head: 'ENQUEUED', cell: ({ enqueuedAt }) => shortTime(enqueuedAt), spare: 2 },
  { head: 'REMARK', cell: remarkOf, flexible: true },
]

/** An ISO time to the second. */
export const shortTime = (time: string): string => time.replace(/\.\d+Z$/, 'Z')

/** What matters most about a task beside its state. */
function remarkOf({ state, why, runAt, endedAt, attempts }: Task): string {
  const error = attempts.at(-1)?.error
  if (state === 'dead' && error !== undefined) return error.message
  if (state === 'scheduled' && runAt !== undefined) return `due ${shortTime(runAt)}`
  if (why !== undefined) return why
  return endedAt === undefined ? '' : `ended ${shortTime(endedAt)}`
}

/** Tasks, one a line. */
export const taskTable = (tasks: readonly Task[]): Promise<string> => table(columns, tasks)

const attemptColumns: readonly Column<AttemptRecord>[] = [
  { head: 'ATTEMPT', cell: ({ attempt }) => attempt, align: 'right' },
  { head: 'STARTED', cell: ({ startedAt }) => startedAt, spare: 1 },
  { head: 'ENDED', cell: ({ endedAt }) => endedAt },
  { head: 'OUTCOME', cell: ({ outcome }) => outcome },
  {
    head: 'ERROR',
    cell: ({ error }) => error && [error.code, error.message].filter(Boolean).join(': '),
    flexible: true,
  },
]

const json = (value: unknown): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value, null, 2)

/** Everything about one task. */
export async function taskSheet(task: Task): Promise<string> {
  const sheet = pairs([
    ['id', task.id],
    ['type', task.type],
    ['queue', task.queue],
    ['state', task.state],
    ['why', task.why],
    ['priority', task.priority],
    ['tags', task.tags.join(', ')],
    ['attempt', task.attempt],
    ['enqueued', task.enqueuedAt],
    ['run at', task.runAt],
    ['started', task.startedAt],
    ['ended', task.endedAt],
    ['dead letter', task.deadLetter],
    ['trace', task.traceId],
    ['progress', json(task.progress)],
    ['payload', json(task.payload)],
    ['result', json(task.result)],
  ])
  return task.attempts.length === 0
    ? sheet
    : `${sheet}\n\n${await table(attemptColumns, task.attempts)}`
}
