import type { Broker, Enqueued, NewTask, StoredTask } from '../core/broker.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { inSendSpan, traceIdOf } from '../telemetry/trace.js'
import type { Batcher } from './batcher.js'
import { byPartition, lookUp } from './by-partition.js'
import type { EnqueuedTask } from './contract.js'
import { enqueuedTask, foundTask, isRepeat, newTask } from './enqueued.js'
import { confirmFirsts, differs, isOfBatch } from './firsts.js'
import type { Fresh, Ready } from './prepare.js'
import { type Indexing, throwProblems } from './problem.js'
import type { RedisTime } from './redis-time.js'

export interface SenderOptions {
  readonly broker: Broker
  readonly time: RedisTime
  readonly batcher: Batcher
}

const isFresh = (each: Ready): each is Fresh => 'when' in each

/** Writes what was prepared, and says what became of it. */
export class Sender {
  readonly #broker: Broker
  readonly #time: RedisTime
  readonly #batcher: Batcher

  constructor({ broker, time, batcher }: SenderOptions) {
    this.#broker = broker
    this.#time = time
    this.#batcher = batcher
  }

  /** The answers in the order given. @throws RedisDistroError what was not written, or may be */
  async send(ready: readonly Ready[], indexing: Indexing): Promise<EnqueuedTask[]> {
    const fresh = ready.filter(isFresh)
    if (fresh.length < ready.length) {
      const found = ready.filter((each) => 'first' in each)
      await confirmFirsts(found, this.#broker, ready.length)
    }
    if (fresh.length === 0) return answers(ready, [], { traceId: undefined, firsts: none })
    const queue = queuesOf(fresh)
    return await inSendSpan({ queue, count: fresh.length }, async (traceparent) => {
      const stamp = { enqueuedAt: this.#time.estimate(), traceparent }
      const tasks = fresh.map(({ draft, when }) => newTask(draft, when, stamp))
      const enqueued = await this.#write(fresh, tasks)
      const firsts = await this.#firstsOf(fresh, enqueued)
      throwDiffering(ready, { enqueued, firsts, indexing })
      return answers(ready, enqueued, { traceId: traceIdOf(traceparent), firsts })
    })
  }

  /**
   * A batch under a key sends its first task ahead: where that lies there for another batch, nothing
   * of this one is written, however many script calls the rest takes.
   */
  async #write(fresh: readonly Fresh[], tasks: readonly NewTask[]): Promise<Enqueued[]> {
    const [first] = fresh
    if (first !== undefined && fresh.length === 1) {
      return await this.#batcher.add(first.draft.partition, tasks)
    }
    const ahead = fresh.findIndex(({ draft }) => isOfBatch(draft) && draft.id.endsWith('.0'))
    if (ahead === -1) return await this.#writeAll(fresh, tasks, { before: 0, after: 0 })
    const head = fresh.slice(ahead, ahead + 1)
    const headTasks = tasks.slice(ahead, ahead + 1)
    const lead = await this.#writeAll(head, headTasks, { before: 0, after: tasks.length - 1 })
    throwDiffering(head, { enqueued: lead, firsts: none, indexing: 'single' })
    const others = (_: unknown, index: number) => index !== ahead
    const counts = { before: 1, after: 0 }
    const rest = await this.#writeAll(fresh.filter(others), tasks.filter(others), counts)
    return [...rest.slice(0, ahead), ...lead, ...rest.slice(ahead)]
  }

  /** Writes tasks that have `before` and `after` so many others; the answers in their order. */
  async #writeAll(
    fresh: readonly Fresh[],
    tasks: readonly NewTask[],
    { before, after }: { readonly before: number; readonly after: number },
  ): Promise<Enqueued[]> {
    const enqueued: Enqueued[] = []
    const groups = byPartition(fresh, ({ draft }) => draft.partition)
    const writes = [...groups].map(async ([partition, indices]) => {
      const group = groups.size === 1 ? tasks : indices.flatMap((index) => tasks[index] ?? [])
      const share = { before, total: before + group.length + after }
      const answers = await this.#batcher.add(partition, group, share)
      for (const [n, index] of indices.entries()) {
        const answer = answers[n]
        if (answer !== undefined) enqueued[index] = answer
      }
    })
    throwFailures(await Promise.allSettled(writes))
    return enqueued
  }

  /** The first tasks of those of which more must be said than Redis answered. */
  async #firstsOf(fresh: readonly Fresh[], enqueued: readonly Enqueued[]): Promise<Firsts> {
    if (!enqueued.some((one) => one.duplicate || one.differs)) return none
    const looks = fresh.flatMap((each, index) => {
      const one = enqueued[index]
      if (one === undefined || !needsFirst(each, one)) return []
      return [{ id: one.id, partition: each.draft.partition, one }]
    })
    if (looks.length === 0) return none
    const find: Broker['find'] = (partition, ids) => this.#broker.find(partition, ids)
    // What was written is in Redis whatever this look comes to.
    const firsts = await lookUp(looks, find).catch(() => [])
    return new Map(
      looks.flatMap(({ one }, index) => {
        const first = firsts[index]
        return first === undefined ? [] : [[one, first] as const]
      }),
    )
  }
}

type Firsts = ReadonlyMap<Enqueued, StoredTask>

const none: Firsts = new Map()

/** Its type, where a unique key or an id led to it; the zone of its text time. */
const needsFirst = ({ draft, when }: Fresh, one: Enqueued): boolean =>
  one.differs || (isRepeat(draft, one) && (when.tz !== undefined || one.id !== draft.id))

/** What the caller hears of each task. Plain loops here and above: large batches feel all else. */
function answers(
  ready: readonly Ready[],
  enqueued: readonly Enqueued[],
  about: {
    readonly traceId: string | undefined
    readonly firsts: Firsts
  },
): EnqueuedTask[] {
  const { traceId, firsts } = about
  const told: EnqueuedTask[] = []
  let next = 0
  for (const each of ready) {
    if ('first' in each) {
      told.push(foundTask(each.draft, each.first))
      continue
    }
    const one = enqueued[next++]
    if (one === undefined) continue
    const { draft, when } = each
    const first = firsts === none ? undefined : firsts.get(one)
    told.push(enqueuedTask({ draft, when, enqueued: one, traceId, first }))
  }
  return told
}

/** The queue of all, or the names of several. */
function queuesOf(fresh: readonly Fresh[]): string {
  const [first] = fresh
  if (first !== undefined && fresh.length === 1) return first.draft.partition.queue
  return [...new Set(fresh.map(({ draft }) => draft.partition.queue))].join(',')
}

const isUnknown = (error: unknown): error is RedisDistroError =>
  isRedisDistroError(error) && error.code === 'store_unknown'

/** One partition's failure as it is; over several, what was written elsewhere must be said too. */
function throwFailures(outcomes: readonly PromiseSettledResult<void>[]): void {
  const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  const [first] = failures
  if (failures.length === 0) return
  if (outcomes.length === 1 || !isRedisDistroError(first)) throw first
  const doubtful = failures.find(isUnknown)
  const told: RedisDistroError = doubtful ?? first
  const code = failures.length === outcomes.length ? told.code : 'store_unknown'
  const message = `${failures.length} of ${outcomes.length} parts of the batch failed: ${told.message}`
  throw new RedisDistroError(code, message, { cause: told })
}

/** Refuses what an id was used for before. */
function throwDiffering(
  ready: readonly Ready[],
  sent: {
    readonly enqueued: readonly Enqueued[]
    readonly firsts: Firsts
    readonly indexing: Indexing
  },
): void {
  const { enqueued, firsts, indexing } = sent
  if (!enqueued.some((one) => one.differs)) return
  let next = 0
  const made = ready.map((each) => {
    const one = isFresh(each) ? enqueued[next++] : undefined
    return one?.differs ? differs(each.draft, firsts.get(one)) : each
  })
  throwProblems(made, indexing)
}
