import type { LeasedTask, NewTask, Settlement } from '../core/broker.js'
import { type OutcomeName, priorities, type TaskError } from '../core/task.js'
import { decodeTask, encodeTask, readCounts } from './blob.js'

const uniqueModes = ['none', 'held', 'timed'] as const

/** The arguments of a checked enqueue, seven a task. */
export function checkedArguments(task: NewTask): (string | number)[] {
  const quarter = priorities.indexOf(task.priority) * 0.25
  const { due } = task
  return [
    task.id,
    encodeTask(task),
    due === undefined
      ? ''
      : 'at' in due
        ? (Math.ceil(due.at) + quarter).toFixed(2)
        : `+${(Math.ceil(due.in) + quarter).toFixed(2)}`,
    task.fingerprint ?? '',
    task.expiresIn ?? '',
    task.unique === undefined ? '' : encodeURIComponent(task.unique.key),
    task.unique?.for ?? '',
  ]
}

/** True where the common, unchecked enqueue does. */
export const isPlain = (task: NewTask): boolean =>
  task.due === undefined &&
  task.fingerprint === undefined &&
  task.expiresIn === undefined &&
  task.unique === undefined

/** What the tasks of one answer have in common. */
type Lease = Pick<LeasedTask, 'fence' | 'leasedAt'>

/** One task of an answer, as Redis gave it. */
interface Answered {
  readonly id: string
  readonly blob: string
  readonly past: string
}

/** A task out of a cycle's answer; all of one answer share `lease`. */
export function decodeLease(lease: Lease, { id, blob, past }: Answered): LeasedTask {
  const { uniqueKey, priority, flags, deadLetter, body, broken } = decodeTask(blob)
  const { failures, losses, deaths, mismatchSince } = readCounts(past)
  return {
    id,
    fence: lease.fence,
    leasedAt: lease.leasedAt,
    priority,
    body,
    deadLetter,
    uniqueKey: uniqueKey === '' ? undefined : uniqueKey,
    flags,
    failures,
    losses,
    deaths,
    mismatchSince,
    broken,
  }
}

/** True where the short form of a completion does: nothing is left behind but the record. */
export const leavesNothing = ({ task, outcome, progressed }: Settlement): boolean =>
  outcome.name === 'complete' &&
  !progressed &&
  !task.flags.own &&
  !task.flags.expires &&
  task.flags.unique === 'none' &&
  task.failures === 0 &&
  task.losses === 0 &&
  task.deaths === 0 &&
  task.mismatchSince === 0

/** The line that is kept with a completed task: start, attempt, then the result. */
export function completionRecord(settlement: Settlement): string {
  const { task, startedAt, outcome } = settlement
  const result = outcome.name === 'complete' ? JSON.stringify(outcome.result) : undefined
  return `${Math.floor(startedAt)} ${task.failures + 1}\n${result ?? ''}`
}

function attemptLine(settlement: Settlement, name: OutcomeName, error: TaskError): string {
  return JSON.stringify({
    n: settlement.task.failures + 1,
    s: Math.floor(settlement.startedAt),
    e: Math.floor(settlement.endedAt),
    o: name,
    x: error,
  })
}

/** The eight arguments of a settlement that needs more than the short form. */
export function settlementArguments(settlement: Settlement): (string | number)[] {
  const { task, outcome } = settlement
  const level = priorities.indexOf(task.priority)
  const flags = `${level}${task.flags.own ? 1 : 0}${task.flags.expires ? 1 : 0}${uniqueModes.indexOf(task.flags.unique)}`
  const rest = [flags, task.uniqueKey ?? '', task.deadLetter]
  const due = (ms: number) => (Math.max(0, Math.round(ms)) + level * 0.25).toFixed(2)
  switch (outcome.name) {
    case 'complete':
      return ['c', task.id, task.fence, '', completionRecord(settlement), ...rest]
    case 'retry':
      return [
        'r',
        task.id,
        task.fence,
        due(outcome.after),
        attemptLine(settlement, 'retry', outcome.error),
        ...rest,
      ]
    case 'bury':
      return ['b', task.id, task.fence, '', attemptLine(settlement, 'bury', outcome.error), ...rest]
    case 'release':
      return [
        'l',
        task.id,
        task.fence,
        outcome.after === undefined ? '' : due(outcome.after),
        outcome.begun ? 'begun' : '',
        ...rest,
      ]
    case 'crash':
      return [
        'x',
        task.id,
        task.fence,
        outcome.maxDeaths,
        attemptLine(settlement, 'bury', outcome.error),
        ...rest,
      ]
    case 'lose':
      return [
        'o',
        task.id,
        task.fence,
        outcome.maxLosses,
        attemptLine(settlement, 'bury', outcome.error),
        ...rest,
      ]
  }
}
