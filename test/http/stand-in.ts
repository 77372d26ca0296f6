import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import type { Job } from '../../src/client/bulk-contract.js'
import type {
  BatchOptions,
  EnqueuedTask,
  EnqueueEntry,
  Enqueuer,
  MoveResult,
  OperatorContract,
  QueueStatus,
  Stats,
  TypeEntry,
} from '../../src/client/contract.js'
import type { EventFeed } from '../../src/client/event-feed.js'
import { RedisDistroError } from '../../src/core/errors.js'
import type { Task } from '../../src/core/task.js'
import { createApi, type HttpOptions, type HttpParts } from '../../src/http/server.js'
import { silentLog } from '../../src/telemetry/log.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { activeTraceparent, traceIdOf } from '../../src/telemetry/trace.js'

const entry = (type: string, fields: string[], queue = 'default'): TypeEntry => ({
  type,
  queue,
  deadLetter: 'dead',
  tz: 'UTC',
  fields: new Set(fields),
  schema: {},
  check: () => ({ ok: true }),
})

/** `email` declares no name of an option, `reminder` declares `runAt`. */
const types = new Map(
  [entry('email', ['to']), entry('reminder', ['runAt'], 'slow')].map((one) => [one.type, one]),
)

const under = (index: number, path: string) => (path ? `${index}.${path}` : `${index}`)

/** An enqueuer in memory that refuses payloads without `to`; `calls` is what reached it. */
export class StandInEnqueuer implements Enqueuer {
  readonly calls: (EnqueueEntry & { readonly batchKey?: string | undefined })[] = []
  /** What the next call fails with. */
  failure: Error | undefined

  async type(name: string): Promise<TypeEntry> {
    const known = types.get(name)
    if (known) return known
    throw new RedisDistroError('unknown_type', `no type '${name}'; known: ${[...types.keys()]}`)
  }

  async types(): Promise<TypeEntry[]> {
    return [...types.values()]
  }

  async enqueue(type: string, payload: unknown, options?: Record<string, unknown>) {
    const [task] = await this.enqueueAll([{ type, payload, options }])
    return task as EnqueuedTask
  }

  async enqueueMany(): Promise<EnqueuedTask[]> {
    throw new Error('no route calls this')
  }

  async enqueueAll(
    entries: readonly EnqueueEntry[],
    batch?: BatchOptions,
  ): Promise<EnqueuedTask[]> {
    if (this.failure) throw this.failure
    const issues = entries.flatMap(({ payload, issues }, index) => {
      if (issues) return issues.map((each) => ({ ...each, path: under(index, each.path) }))
      const sound = typeof payload === 'object' && payload !== null && !('bad' in payload)
      return sound ? [] : [{ path: under(index, 'to'), message: 'is wanted' }]
    })
    if (issues.length > 0) throw new RedisDistroError('bad_payload', 'to: is wanted', { issues })
    return Promise.all(entries.map((one) => this.#take(one, batch?.idempotencyKey)))
  }

  async close(): Promise<void> {}

  async #take(one: EnqueueEntry, batchKey: string | undefined): Promise<EnqueuedTask> {
    const { queue } = await this.type(one.type)
    this.calls.push(batchKey === undefined ? one : { ...one, batchKey })
    const { runAt, queue: other } = one.options ?? {}
    const traceId = traceIdOf(activeTraceparent())
    return {
      id: `id-${this.calls.length}`,
      type: one.type,
      queue: typeof other === 'string' ? other : queue,
      state: runAt === undefined ? 'waiting' : 'scheduled',
      duplicate: false,
      ...(traceId === undefined ? {} : { traceId }),
    }
  }
}

const noDepth = {
  scheduled: 0,
  waiting: 0,
  active: 0,
  retryable: 0,
  completed: 0,
  dead: 0,
  cancelled: 0,
}

const queueStatus = (name: string, paused = false): QueueStatus => ({
  name,
  paused,
  partitions: 1,
  depth: { ...noDepth, waiting: 3 },
  oldestWaitingAge: 1500,
  throughput: { enqueued: 1, completed: 1, failed: 0 },
  workers: 2,
  limits: {},
})

const counts = { enqueued: 9, completed: 8, retried: 7, dead: 6, cancelled: 5, lost: 4 }

const stats: Stats = {
  at: '2026-01-01T00:00:00.000Z',
  depth: noDepth,
  workers: 2,
  total: counts,
  lastMinute: counts,
  lastHour: counts,
  rates: { enqueued: 1, completed: 1, failed: 0 },
  latencies: { wait: null, run: 12 },
  queues: [queueStatus('default'), queueStatus('odd"\\\nname', true)],
}

const job: Job = {
  id: 'job-1',
  kind: 'requeue',
  state: 'running',
  key: 'dead',
  filter: {},
  rate: '50/s',
  done: 0,
  skipped: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  held: true,
}

/** A task that lies in the stand-in store. */
export const task = (id: string, state: Task['state']): Task => ({
  id,
  type: 'email',
  queue: 'default',
  state,
  payload: { to: 'a@example.com' },
  priority: 'normal',
  tags: [],
  enqueuedAt: '2026-01-01T00:00:00.000Z',
  attempt: 0,
  attempts: [],
})

/** An operator in memory: tasks by id, what was asked for in `asked`, waits that end by abort. */
export class StandInOperator implements OperatorContract {
  readonly tasksById = new Map<string, Task>()
  /** Who holds the unique key of a task, by its id. */
  readonly holders = new Map<string, string>()
  readonly asked: unknown[][] = []
  readonly waits: { readonly id: string; readonly ms: number; readonly signal: AbortSignal }[] = []
  /** What every call fails with. */
  failure: Error | undefined

  #note(...words: unknown[]): void {
    this.asked.push(words)
    if (this.failure) throw this.failure
  }

  async task(id: string, queue?: string) {
    this.#note('task', id, queue)
    return this.tasksById.get(id)
  }

  waitFor(id: string, ms: number, options: { signal?: AbortSignal | undefined } = {}) {
    const signal = options.signal ?? new AbortController().signal
    this.waits.push({ id, ms, signal })
    return new Promise<Task | undefined>((resolve) => {
      const answer = () => resolve(this.tasksById.get(id))
      if (this.tasksById.get(id)?.state !== 'waiting') answer()
      signal.addEventListener('abort', answer)
    })
  }

  async tasks(filter: object) {
    this.#note('tasks', filter)
    return { items: [...this.tasksById.values()], cursor: 'next' }
  }

  async #move(name: string, id: string, from: Task['state'][], to: Task['state']) {
    this.#note(name, id)
    const found = this.tasksById.get(id)
    if (!found) return { ok: false, reason: 'unknown_task' } satisfies MoveResult
    const { state } = found
    if (!from.includes(state))
      return { ok: false, reason: 'wrong_state', state } satisfies MoveResult
    return { ok: true, from: state, task: task(id, to) } satisfies MoveResult
  }

  cancel = (id: string): Promise<MoveResult> =>
    this.#move('cancel', id, ['waiting', 'scheduled', 'retryable', 'active'], 'cancelled')
  requeue = async (id: string): Promise<MoveResult> => {
    const holder = this.holders.get(id)
    const state = this.tasksById.get(id)?.state
    if (holder === undefined || state === undefined) {
      return this.#move('requeue', id, ['dead', 'cancelled'], 'waiting')
    }
    return { ok: false, reason: 'unique_held', state, holder }
  }
  promote = (id: string): Promise<MoveResult> =>
    this.#move('promote', id, ['scheduled', 'retryable'], 'waiting')
  erase = (id: string): Promise<MoveResult> =>
    this.#move('erase', id, ['completed', 'dead', 'cancelled'], 'cancelled')

  async queues() {
    this.#note('queues')
    return [queueStatus('default')]
  }

  async #queue(name: string, paused: boolean) {
    if (name !== 'default') throw new RedisDistroError('unknown_queue', `no queue '${name}'`)
    return queueStatus(name, paused)
  }

  queue = (name: string) => this.#queue(name, false)
  pause = (name: string) => this.#queue(name, true)
  resume = (name: string) => this.#queue(name, false)
  limit = (name: string, change: object) => {
    this.#note('limit', name, change)
    return this.#queue(name, false)
  }

  async deadLetters() {
    return [{ key: 'dead', count: 2 }]
  }

  async deadLetter(key: string, filter: object) {
    this.#note('deadLetter', key, filter)
    return { items: [] }
  }

  async requeueDead(key: string, filter: object) {
    this.#note('requeueDead', key, filter)
    return { requeued: 2, skipped: 1 }
  }

  async purgeDead(key: string, filter: object) {
    this.#note('purgeDead', key, filter)
    return 3
  }

  edit = async (id: string, payload: unknown, options: { run?: boolean | undefined } = {}) => {
    const to = options.run ? 'waiting' : (this.tasksById.get(id)?.state ?? 'dead')
    const result = await this.#move('edit', id, ['dead', 'cancelled', 'scheduled', 'retryable'], to)
    this.asked.push(['edited', payload, options])
    return result
  }

  async previewPurge(key: string, filter: object) {
    this.#note('previewPurge', key, filter)
    return { wouldPurge: 3, oldest: null, newest: null, sample: ['a'] }
  }

  async startRequeue(key: string, filter: object, rate: string | undefined) {
    this.#note('startRequeue', key, filter, rate)
    return job
  }

  jobs = async () => [job]
  job = async (id: string) => (id === job.id ? job : undefined)
  stopJob = async (id: string) => {
    this.#note('stopJob', id)
    return await this.job(id)
  }

  async events(): Promise<EventFeed> {
    throw new Error('no events happen here')
  }

  async workers() {
    return []
  }

  async stats() {
    this.#note('stats')
    this.#note('stats')
    return stats
  }
}

export const httpOptions: HttpOptions = {
  host: '127.0.0.1',
  port: 0,
  bodyLimit: 1024 * 1024,
  payload: { maxDepth: 64, maxValues: 10_000 },
  batchLimit: 10_000,
  headerLimit: 16 * 1024,
  requestTimeout: 10_000,
  stallTimeout: 30_000,
  keepAliveTimeout: 72_000,
  maxConnections: 2000,
  maxListeners: 100,
  tokens: { api: [], enqueue: [], read: [] },
  trustProxy: false,
  role: 'producer',
}

/** Stand-ins for all that routes speak to. */
export const createParts = () => {
  const counters = createCounters()
  const ready: HttpParts['ready'] = async () => ({ ok: true, checks: { redis: 'ok' } })
  const enqueuer = new StandInEnqueuer()
  const operator = new StandInOperator()
  return { enqueuer, operator, counters, log: silentLog, ready }
}

/** An API to inject requests into, gone with the test. */
export async function api(
  options: Partial<HttpOptions> = {},
  parts: Partial<HttpParts> = {},
): Promise<FastifyInstance & { enqueuer: StandInEnqueuer; operator: StandInOperator }> {
  const made = createParts()
  const stopping = new AbortController().signal
  const app = await createApi({ ...httpOptions, ...options }, { ...made, ...parts, stopping })
  onTestFinished(() => app.close())
  return Object.assign(app, { enqueuer: made.enqueuer, operator: made.operator })
}
