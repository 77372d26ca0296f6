import type { Broker, Enqueued, NewTask } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import type { Task } from '../core/task.js'
import { inSendSpan, traceIdOf } from '../telemetry/trace.js'
import { Batcher } from './batcher.js'
import type {
  Directory,
  EnqueuedTask,
  EnqueueEntry,
  Enqueuer,
  MoveResult,
  TypeEntry,
} from './contract.js'
import {
  type Draft,
  Drafter,
  type Given,
  give,
  giveAll,
  type NameTask,
  unknownType,
} from './draft.js'
import type { Due } from './due.js'
import { enqueuedTask, foundTask, newTask } from './enqueued.js'
import { batchId, idOfKey, newId } from './ids.js'
import { Operator } from './operator.js'
import { readOptions } from './options.js'
import { type Indexing, prepare, type Ready } from './prepare.js'
import { atIndex, errorOf } from './problem.js'
import { RedisTime } from './redis-time.js'
import { byPartition, differs, partitionOfDraft } from './repeats.js'

type Options = Readonly<Record<string, unknown>>

export interface ClientOptions {
  readonly broker: Broker
  readonly directory: Directory
  readonly clock: Clock
  /** ms within which the repeats of one enqueue end; 2500 if left out. */
  readonly deadline?: number | undefined
}

const defaultDeadline = 2500

const nameSingle: NameTask = () => ({ id: newId(), own: false })

function nameBatch(type: string, key: string | undefined): NameTask {
  const base = key === undefined ? newId() : idOfKey(type, key)
  return (index) => ({ id: batchId(base, index), own: key !== undefined })
}

type Sendable = { readonly draft: Draft; readonly when: Due }

/** Before the send nothing was written, whatever Redis did not answer to. */
async function unwritten<Result>(before: Promise<Result>): Promise<Result> {
  try {
    return await before
  } catch (error) {
    if (!isRedisDistroError(error) || error.code !== 'store_unknown') throw error
    const message = `nothing was written: ${error.message}`
    throw new RedisDistroError('store_away', message, { cause: error })
  }
}

/**
 * Enqueues. What is enqueued in one turn of the event loop joins into one script call for each
 * partition; ids exist before the first send, so that a repeat is harmless. It does not own the
 * broker: whoever opened that closes it after the client.
 */
export class Client implements Enqueuer {
  readonly #broker: Broker
  readonly #directory: Directory
  readonly #time: RedisTime
  readonly #batcher: Batcher
  readonly #operator: Operator
  readonly #whenIdle: (() => void)[] = []
  #running = 0
  #closed = false

  constructor({ broker, directory, clock, deadline = defaultDeadline }: ClientOptions) {
    this.#broker = broker
    this.#directory = directory
    this.#time = new RedisTime(broker, clock)
    this.#batcher = new Batcher({ broker, clock, deadline })
    this.#operator = new Operator({ broker, directory, clock })
  }

  /** Enqueues one task. @throws RedisDistroError as {@link Enqueuer} lists them */
  async enqueue(type: string, payload: unknown, options?: Options): Promise<EnqueuedTask> {
    const given = give(type, payload, readOptions(options, false))
    const [task] = await this.#run([given], nameSingle, 'single')
    if (task === undefined) throw new RedisDistroError('internal', 'the store did not answer whole')
    return task
  }

  /** Enqueues many payloads of one type; all are checked before any is written. */
  async enqueueMany(
    type: string,
    payloads: readonly unknown[],
    options?: Options,
  ): Promise<EnqueuedTask[]> {
    const read = readOptions(options, true)
    if (!read.ok) {
      await this.type(type)
      throw errorOf([read.problem])
    }
    if (payloads.length === 0) await this.type(type)
    const { idempotencyKey, ...shared } = read.options
    const each = { ok: true, options: shared } as const
    const givens = payloads.map((payload) => give(type, payload, each))
    return await this.#run(givens, nameBatch(type, idempotencyKey), 'shared options')
  }

  /** Enqueues tasks of several types, each with its own options; all are checked first. */
  async enqueueAll(
    entries: readonly EnqueueEntry[],
    batch: { readonly idempotencyKey?: string | undefined } = {},
  ): Promise<EnqueuedTask[]> {
    const read = readOptions(batch, true)
    if (!read.ok) throw errorOf([read.problem])
    const givens = giveAll(entries)
    const types = new Set(entries.map(({ type }) => type))
    const type = types.size === 1 ? (entries[0]?.type ?? '') : '*'
    return await this.#run(givens, nameBatch(type, read.options.idempotencyKey), 'own options')
  }

  /** Looks a task up by its id; undefined where it is unknown or past its retention. */
  task(id: string, queue?: string): Promise<Task | undefined> {
    return this.#operator.task(id, queue)
  }

  /** Calls a task off; a refusal names the state that forbids it. */
  cancel(id: string, queue?: string): Promise<MoveResult> {
    return this.#operator.cancel(id, queue)
  }

  /** The entry of a type. @throws RedisDistroError `unknown_type` */
  async type(name: string): Promise<TypeEntry> {
    const entry = await this.#directory.type(name)
    if (entry === undefined) throw errorOf([await unknownType(this.#directory, name)])
    return entry
  }

  /** Takes no more, and waits for what is on its way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#operator.close()
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  async #run(
    givens: readonly Given[],
    name: NameTask,
    indexing: Indexing,
  ): Promise<EnqueuedTask[]> {
    if (this.#closed) throw new RedisDistroError('closed', 'the client is closed')
    this.#running++
    try {
      return await this.#send(await unwritten(this.#prepare(givens, name, indexing)), indexing)
    } finally {
      this.#running--
      if (this.#running === 0) for (const tell of this.#whenIdle.splice(0)) tell()
    }
  }

  async #prepare(givens: readonly Given[], name: NameTask, indexing: Indexing): Promise<Ready[]> {
    const made = await new Drafter(this.#directory, name).draft(givens)
    return await prepare(made, indexing, { broker: this.#broker, time: this.#time })
  }

  async #send(ready: readonly Ready[], indexing: Indexing): Promise<EnqueuedTask[]> {
    const fresh = ready.filter((each): each is Ready & Sendable => 'when' in each)
    const sent = fresh.length === 0 ? [] : await this.#sendFresh(fresh, indexing)
    if (fresh.length === ready.length) return sent
    let next = 0
    return ready.flatMap((each) =>
      'first' in each ? foundTask(each.draft, each.first) : (sent[next++] ?? []),
    )
  }

  #sendFresh(fresh: readonly Sendable[], indexing: Indexing): Promise<EnqueuedTask[]> {
    const queue = queuesOf(fresh)
    return inSendSpan({ queue, count: fresh.length }, async (traceparent) => {
      const stamp = { enqueuedAt: this.#time.estimate(), traceparent }
      const tasks = fresh.map(({ draft, when }) => newTask(draft, when, stamp))
      const enqueued = await this.#write(fresh, tasks)
      return answer(fresh, enqueued, { indexing, traceId: traceIdOf(traceparent) })
    })
  }

  async #write(fresh: readonly Sendable[], tasks: readonly NewTask[]): Promise<Enqueued[]> {
    const [first] = fresh
    if (first !== undefined && fresh.length === 1) {
      return await this.#batcher.add(partitionOfDraft(first.draft), tasks)
    }
    const enqueued: Enqueued[] = []
    const groups = byPartition(fresh, ({ draft }) => partitionOfDraft(draft))
    const writes = [...groups].map(async ([partition, indices]) => {
      const group = groups.size === 1 ? tasks : indices.flatMap((index) => tasks[index] ?? [])
      const answers = await this.#batcher.add(partition, group)
      for (const [n, index] of indices.entries()) {
        const answer = answers[n]
        if (answer !== undefined) enqueued[index] = answer
      }
    })
    throwFailures(await Promise.allSettled(writes))
    return enqueued
  }
}

/** The queue of all, or the names of several. */
function queuesOf(fresh: readonly Sendable[]): string {
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

function answer(
  fresh: readonly Sendable[],
  enqueued: readonly Enqueued[],
  about: { readonly indexing: Indexing; readonly traceId: string | undefined },
): EnqueuedTask[] {
  const wrong = fresh.flatMap(({ draft }, index) => {
    if (enqueued[index]?.differs !== true) return []
    return about.indexing === 'single' ? differs(draft) : atIndex(index, differs(draft))
  })
  const [first, ...others] = wrong
  if (first !== undefined) throw errorOf([first, ...others])
  return fresh.flatMap(({ draft, when }, index) => {
    const each = enqueued[index]
    return each === undefined
      ? []
      : enqueuedTask({ draft, when, enqueued: each, traceId: about.traceId })
  })
}
