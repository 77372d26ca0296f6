import type { Broker, Enqueued, NewTask, StoredTask } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { inSendSpan, traceIdOf } from '../telemetry/trace.js'
import { Batcher, type Settle } from './batcher.js'
import type { EnqueuedTask } from './contract.js'
import { enqueuedTask, foundTask, isRepeat, newTask } from './enqueued.js'
import type { PlainCall } from './plain.js'
import type { Indexing, Ready } from './prepare.js'
import { atIndex, errorOf, type Problem } from './problem.js'
import type { RedisTime } from './redis-time.js'
import { byPartition, differs, firstsOf, isOfBatch, partitionOfDraft } from './repeats.js'

export interface SenderOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly time: RedisTime
  /** ms within which the repeats of one call end. */
  readonly deadline: number
}

type Fresh = Extract<Ready, { readonly when: unknown }>

const isFresh = (each: Ready): each is Fresh => 'when' in each

/** Writes what was prepared, and says what became of it. */
export class Sender {
  readonly #broker: Broker
  readonly #time: RedisTime
  readonly #batcher: Batcher

  constructor({ broker, clock, time, deadline }: SenderOptions) {
    this.#broker = broker
    this.#time = time
    this.#batcher = new Batcher({ broker, clock, deadline })
  }

  /** Sends what needs nothing looked up; told by callback, since a promise a task has its price. */
  hand({ partition, tasks }: PlainCall, settle: Settle<Enqueued[]>): void {
    this.#batcher.hand(partition, { tasks, share: { before: 0, total: tasks.length }, ...settle })
  }

  /** The answers in the order given. @throws RedisDistroError what was not written, or may be */
  async send(ready: readonly Ready[], indexing: Indexing): Promise<EnqueuedTask[]> {
    const fresh = ready.filter(isFresh)
    if (fresh.length === 0) return answers(ready, [], { traceId: undefined, firsts: none })
    const queue = queuesOf(fresh)
    return await inSendSpan({ queue, count: fresh.length }, async (traceparent) => {
      const stamp = { enqueuedAt: this.#time.estimate(), traceparent }
      const tasks = fresh.map(({ draft, when }) => newTask(draft, when, stamp))
      const enqueued = await this.#write(fresh, tasks)
      throwDiffering(ready, enqueued, indexing)
      const inText = fresh.some(({ when }) => when.tz !== undefined)
      const firsts = inText ? await this.#firstsOfRepeats(fresh, enqueued) : none
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
      return await this.#batcher.add(partitionOfDraft(first.draft), tasks)
    }
    const ahead = fresh.findIndex(({ draft }) => isOfBatch(draft) && draft.id.endsWith('.0'))
    if (ahead === -1) return await this.#writeAll(fresh, tasks, { before: 0, after: 0 })
    const others = (_: unknown, index: number) => index !== ahead
    const lead = await this.#writeAll(
      fresh.slice(ahead, ahead + 1),
      tasks.slice(ahead, ahead + 1),
      { before: 0, after: tasks.length - 1 },
    )
    const rest = lead[0]?.differs
      ? []
      : await this.#writeAll(fresh.filter(others), tasks.filter(others), { before: 1, after: 0 })
    return [...rest.slice(0, ahead), ...lead, ...rest.slice(ahead)]
  }

  /** Writes tasks that have `before` and `after` so many others; the answers in their order. */
  async #writeAll(
    fresh: readonly Fresh[],
    tasks: readonly NewTask[],
    { before, after }: { readonly before: number; readonly after: number },
  ): Promise<Enqueued[]> {
    const enqueued: Enqueued[] = []
    const groups = byPartition(fresh, ({ draft }) => partitionOfDraft(draft))
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

  /** The first tasks of repeats whose time was a text: its zone is the first's. */
  async #firstsOfRepeats(
    fresh: readonly Fresh[],
    enqueued: readonly Enqueued[],
  ): Promise<ReadonlyMap<Enqueued, StoredTask>> {
    const repeats = fresh.flatMap(({ draft, when }, index) => {
      const one = enqueued[index]
      const asked = when.tz !== undefined && one !== undefined && isRepeat(draft, one)
      return asked ? [{ draft: { ...draft, id: one.id }, one }] : []
    })
    if (repeats.length === 0) return none
    const drafts = repeats.map(({ draft }) => draft)
    // They are in Redis whatever this look comes to.
    const firsts = await firstsOf(this.#broker, drafts).catch(() => [])
    return new Map(
      repeats.flatMap(({ one }, index) => {
        const first = firsts[index]
        return first === undefined ? [] : [[one, first] as const]
      }),
    )
  }
}

const none: ReadonlyMap<Enqueued, StoredTask> = new Map()

/** What the caller hears of each task. Plain loops here and above: large batches feel all else. */
function answers(
  ready: readonly Ready[],
  enqueued: readonly Enqueued[],
  about: {
    readonly traceId: string | undefined
    readonly firsts: ReadonlyMap<Enqueued, StoredTask>
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
  if (first !== undefined && fresh.length === 1) return first.draft.queue
  return [...new Set(fresh.map(({ draft }) => draft.queue))].join(',')
}

/** One partition's failure as it is; over several, what was written elsewhere must be said too. */
function throwFailures(outcomes: readonly PromiseSettledResult<void>[]): void {
  const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  const [first] = failures
  if (failures.length === 0) return
  if (outcomes.length === 1 || !isRedisDistroError(first)) throw first
  const code = failures.length === outcomes.length ? first.code : 'store_unknown'
  const message = `${failures.length} of ${outcomes.length} parts of the batch failed: ${first.message}`
  throw new RedisDistroError(code, message, { cause: first })
}

/** Refuses what an id was used for before; of a batch under a key this is told once. */
function throwDiffering(
  ready: readonly Ready[],
  enqueued: readonly Enqueued[],
  indexing: Indexing,
): void {
  const problems: Problem[] = []
  let next = 0
  for (const [index, each] of ready.entries()) {
    if (!isFresh(each) || enqueued[next++]?.differs !== true) continue
    const { draft } = each
    if (isOfBatch(draft)) throw errorOf([differs(draft)])
    problems.push(indexing === 'single' ? differs(draft) : atIndex(index, differs(draft)))
  }
  const [first, ...others] = problems
  if (first !== undefined) throw errorOf([first, ...others])
}
