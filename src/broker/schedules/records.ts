import { iso } from '../../core/clock.js'
import type {
  NewScheduleRun,
  PendingTick,
  ScheduleRecord,
  ScheduleRun,
  StoredSchedule,
} from '../../core/schedule-store.js'
import { readJson } from '../stored-record.js'

/** Texts that a script gives of each schedule. */
export const fieldsOfSchedule = 8

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isRule(value: unknown): boolean {
  if (!isObject(value)) return false
  const { task, tz, cron, every } = value
  const timed = typeof cron === 'string' || typeof every === 'string' || typeof every === 'number'
  return typeof task === 'string' && typeof tz === 'string' && timed
}

function recordOf(text: string): ScheduleRecord | undefined {
  const record = readJson(text)
  return isObject(record) && isRule(record['rule'])
    ? (record as unknown as ScheduleRecord)
    : undefined
}

/** A number, a task type and JSON: scripts read the first two. */
const kept = /^(\d+) \S+ (.*)$/s

/** A schedule from a script's answer; undefined where there is none, or none that can be read. */
export function readSchedule(answer: readonly string[], at: number): StoredSchedule | undefined {
  const fields = answer.slice(at, at + fieldsOfSchedule)
  const [id = '', stored = '', due = '', paused, runs, last = '', queue = '', pending] = fields
  const [, revision, json = ''] = kept.exec(stored) ?? []
  const record = recordOf(json)
  if (record === undefined) return undefined
  const [, tick, taskId] = /^(\S+) (\S+)$/.exec(last) ?? []
  return {
    id,
    revision: Number(revision),
    ...record,
    due: due === '' ? undefined : Number(due),
    paused: paused === '1',
    runs: Number(runs),
    last:
      taskId === undefined
        ? undefined
        : {
            tick: Number(tick),
            taskId,
            pending: pending === '1',
            ...(queue === '' ? {} : { queue }),
          },
  }
}

/** What a record that cannot be read is replaced by: its head still says its revision. */
export type BrokenSchedule = Pick<StoredSchedule, 'revision'> & { readonly seen?: number }

/** The head of a record; undefined where it has none. */
export function brokenOf(answer: readonly string[]): BrokenSchedule | undefined {
  const [, stored = '', due = ''] = answer
  const [revision] = /^\d+/.exec(stored) ?? []
  if (revision === undefined) return undefined
  return { revision: Number(revision), ...(due === '' ? {} : { seen: Number(due) }) }
}

/** What was to be enqueued; undefined where it cannot be read. */
export function readPending(text: string): PendingTick | undefined {
  const tick = readJson(kept.exec(text)?.[2] ?? '')
  return isObject(tick) && typeof tick['taskId'] === 'string' && typeof tick['task'] === 'string'
    ? (tick as unknown as PendingTick)
    : undefined
}

/** The lines of a history; one that cannot be read is none. */
export function readRuns(text: string): ScheduleRun[] {
  return text.split('\n').flatMap((line) => {
    const gap = line.indexOf(' ')
    const run = readJson(line.slice(gap + 1))
    if (!isObject(run)) return []
    return { ...(run as unknown as NewScheduleRun), at: iso(Number(line.slice(0, gap))) }
  })
}
