import type { JobOrder, JobProgress, JobRecord, JobState, KeepJob } from '../core/broker.js'
import { type Engine, runScript } from './arguments.js'
import { addJobScript, keepJobScript, stopJobScript, takeJobScript } from './job-scripts.js'
import { partitionKeys } from './keys.js'
import { readJson } from './stored-record.js'
import { readAt } from './wrong-type.js'

/** Jobs are of the whole store; their keys lie under one tag, as a partition's do. */
const partition = { queue: 'jobs', index: 0, of: 1 } as const

const headShape = /^(\S+) (running|done|stopped|failed) ([01]) (\d+)\n/

type Body = JobOrder & JobProgress

/** What a person's hand has put there is no job. */
function isBody(value: unknown): value is Body {
  if (typeof value !== 'object' || value === null) return false
  const {
    id,
    kind,
    key,
    filter,
    startedAt,
    done,
    skipped,
    due = 0,
  } = value as Record<string, unknown>
  const texts = [id, key].every((each) => typeof each === 'string')
  const numbers = [startedAt, done, skipped, due].every(Number.isSafeInteger)
  return texts && numbers && kind === 'requeue' && typeof filter === 'object' && filter !== null
}

function readJob(text: string): JobRecord | undefined {
  const head = headShape.exec(text)
  const body = head && readJson(text.slice(head[0].length))
  if (!head || !isBody(body)) return undefined
  const [, holder, state, stopping, endedAt] = head
  return {
    ...body,
    state: state as JobState,
    stopping: stopping === '1',
    held: holder !== '-',
    ...(endedAt === '0' ? {} : { endedAt: Number(endedAt) }),
  }
}

const bodyOf = (job: JobOrder, progress: JobProgress): string => {
  const { id, kind, key, filter, rate, startedAt } = job
  const { total, done, skipped, place, due, error } = progress
  const order: JobOrder = { id, kind, key, filter, rate, startedAt }
  const body: Body = { ...order, total, done, skipped, place, due, error }
  return JSON.stringify(body)
}

/** A new job, to be taken by whoever looks for one next; false where there are too many. */
export async function addJob(engine: Engine, order: JobOrder): Promise<boolean> {
  const named = { id: order.id, json: bodyOf(order, { done: 0, skipped: 0 }) }
  return (await runScript(engine, { script: addJobScript, partition, named })) === 'added'
}

/** All that are remembered, the newest first. */
export async function readJobs({ store, prefix }: Engine): Promise<JobRecord[]> {
  const key = partitionKeys(prefix, partition).jobs
  const values = Object.values(await readAt(key, store.readHash(key)))
  return values
    .flatMap((text) => readJob(text) ?? [])
    .sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1))
}

export async function takeJob(
  engine: Engine,
  holder: string,
  lease: number,
): Promise<JobRecord | undefined> {
  const named = { holder, lease }
  const answer = await runScript(engine, { script: takeJobScript, partition, named })
  const [, text = ''] = answer as string[]
  return readJob(text)
}

export async function keepJob(
  engine: Engine,
  job: JobRecord,
  { holder, lease, state, progress }: KeepJob,
): Promise<'kept' | 'stop' | 'lost'> {
  const named = { id: job.id, holder, lease, state, json: bodyOf(job, progress) }
  const word = await runScript(engine, { script: keepJobScript, partition, named })
  return word as 'kept' | 'stop' | 'lost'
}

/** False where there is no such job. */
export async function stopJob(engine: Engine, id: string): Promise<boolean> {
  const word = await runScript(engine, { script: stopJobScript, partition, named: { id } })
  return word !== 'unknown'
}
