import type { Broker } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import type { Task } from '../core/task.js'
import { activeTraceparent, tracingWanted } from '../telemetry/trace.js'
import { Batcher, type Settle } from './batcher.js'
import type {
  BatchOptions,
  Directory,
  DirectoryEntry,
  EnqueuedTask,
  EnqueueEntry,
  Enqueuer,
  MoveResult,
  TypeEntry,
} from './contract.js'
import { Drafter, type Given, give, giveAll, unknownType } from './draft.js'
import { nameBatch, singly } from './naming.js'
import { Operator } from './operator.js'
import { readOptions } from './options.js'
import { type PlainCall, plainAnswer, plainCall } from './plain.js'
import { type CallKind, prepare, type Ready, type Sources } from './prepare.js'
import { errorOf } from './problem.js'
import { RedisTime } from './redis-time.js'
import { Sender } from './sender.js'

type Options = Readonly<Record<string, unknown>>

export interface ClientOptions {
  readonly broker: Broker
  readonly directory: Directory
  readonly clock: Clock
  /** ms within which the repeats of one enqueue end; 2500 if left out. */
  readonly deadline?: number | undefined
}

const defaultDeadline = 2500

interface Plain {
  readonly entry: DirectoryEntry
  readonly call: PlainCall
}

/** Before the send nothing was written, whatever Redis did not answer to. */
async function unwritten<Result>(before: Promise<Result>): Promise<Result> {
  try {
    return await before
  } catch (error) {
    if (!isRedisDistroError(error)) throw error
    if (error.code !== 'store_unknown' && error.code !== 'store_away') throw error
    const why = error.code === 'store_away' ? error.message : 'Redis did not answer'
    const message = `${why}: nothing was written; it can be repeated`
    throw new RedisDistroError('store_away', message, { cause: error })
  }
}

/** A caller without types may give anything. */
function refuseNoArray(given: unknown, what: string): void {
  if (Array.isArray(given)) return
  const message = `an array of ${what} is wanted`
  throw errorOf([{ code: 'bad_payload', issues: [{ path: '', message }] }])
}

/**
 * Enqueues. What is enqueued in one turn of the event loop joins into one script call for each
 * partition; ids exist before the first send, so that a repeat is harmless. It does not own the
 * broker: whoever opened that closes it after the client.
 */
export class Client implements Enqueuer {
  readonly #directory: Directory
  readonly #time: RedisTime
  readonly #sources: Sources
  readonly #batcher: Batcher
  readonly #sender: Sender
  readonly #operator: Operator
  readonly #whenIdle: (() => void)[] = []
  #running = 0
  #closed = false

  constructor({ broker, directory, clock, deadline = defaultDeadline }: ClientOptions) {
    const time = new RedisTime(broker, clock)
    this.#directory = directory
    this.#time = time
    this.#sources = { broker, directory, time }
    this.#batcher = new Batcher({ broker, clock, deadline })
    this.#sender = new Sender({ broker, time, batcher: this.#batcher })
    this.#operator = new Operator({ broker, directory, clock })
  }

  /** Enqueues one task. @throws RedisDistroError as {@link Enqueuer} lists them */
  enqueue(type: string, payload: unknown, options?: Options): Promise<EnqueuedTask> {
    if (options === undefined) {
      const plain = this.#plain(type, [payload], true)
      if (plain !== undefined) {
        return new Promise((resolve, reject) => {
          this.#hand(plain, { resolve: ([first]) => resolve(first as EnqueuedTask), reject })
        })
      }
    }
    return this.#enqueueOne(type, payload, options)
  }

  async #enqueueOne(type: string, payload: unknown, options?: Options): Promise<EnqueuedTask> {
    const given = give(type, payload, readOptions(options, false))
    const [task] = await this.#run([given], { naming: singly, indexing: 'single' })
    if (task === undefined) throw new RedisDistroError('internal', 'the store did not answer whole')
    return task
  }

  /** Enqueues many payloads of one type; all are checked before any is written. */
  async enqueueMany(
    type: string,
    payloads: readonly unknown[],
    options?: Options,
  ): Promise<EnqueuedTask[]> {
    refuseNoArray(payloads, 'payloads')
    const plain = options === undefined ? this.#plain(type, payloads, false) : undefined
    if (plain !== undefined) {
      return await new Promise((resolve, reject) => this.#hand(plain, { resolve, reject }))
    }
    const read = readOptions(options, true)
    if (!read.ok) {
      await this.type(type)
      throw errorOf([read.problem])
    }
    if (payloads.length === 0) await this.type(type)
    const { idempotencyKey, ...shared } = read.options
    const each = { ok: true, options: shared } as const
    const givens = payloads.map((payload) => give(type, payload, each))
    const naming = nameBatch({ key: idempotencyKey, type, elements: givens })
    return await this.#run(givens, { naming, indexing: 'shared options' })
  }

  /** Enqueues tasks of several types, each with its own options; all are checked first. */
  async enqueueAll(
    entries: readonly EnqueueEntry[],
    { idempotencyKey, type }: BatchOptions = {},
  ): Promise<EnqueuedTask[]> {
    refuseNoArray(entries, 'entries')
    const read = readOptions({ idempotencyKey }, true)
    if (!read.ok) throw errorOf([read.problem])
    const givens = giveAll(entries)
    const naming = nameBatch({ key: idempotencyKey, type, elements: givens })
    return await this.#run(givens, { naming, indexing: 'own options' })
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

  /** Every type that is known here. */
  async types(): Promise<TypeEntry[]> {
    const names = await this.#directory.typeNames()
    const entries = await Promise.all(names.map((name) => this.#directory.type(name)))
    return entries.filter((entry) => entry !== undefined)
  }

  /** Takes no more, and waits for what is on its way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#operator.close()
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** undefined where the call must go the long way. */
  #plain(type: string, payloads: readonly unknown[], single: boolean): Plain | undefined {
    if (this.#closed || payloads.length === 0 || tracingWanted(activeTraceparent()))
      return undefined
    const entry = this.#directory.known(type)
    if (entry === undefined) return undefined
    const call = plainCall(entry, payloads, { enqueuedAt: this.#time.estimate(), single })
    return call && { entry, call }
  }

  /** Sends what needs nothing looked up; told by callback, since a promise a task has its price. */
  #hand({ entry, call: { partition, tasks } }: Plain, settle: Settle<EnqueuedTask[]>): void {
    this.#running++
    this.#batcher.hand(partition, {
      tasks,
      share: { before: 0, total: tasks.length },
      resolve: (enqueued) => {
        this.#ended()
        settle.resolve(enqueued.map((one) => plainAnswer(entry, one)))
      },
      reject: (error) => {
        this.#ended()
        settle.reject(error)
      },
    })
  }

  #ended(): void {
    this.#running--
    if (this.#running === 0) for (const tell of this.#whenIdle.splice(0)) tell()
  }

  async #run(givens: readonly Given[], kind: CallKind): Promise<EnqueuedTask[]> {
    if (this.#closed) throw new RedisDistroError('closed', 'the client is closed')
    this.#running++
    try {
      const ready = await unwritten(this.#prepare(givens, kind))
      return await this.#sender.send(ready, kind.indexing)
    } finally {
      this.#ended()
    }
  }

  async #prepare(givens: readonly Given[], kind: CallKind): Promise<Ready[]> {
    const made = await new Drafter(this.#directory, kind.naming).draft(givens)
    return await prepare(made, kind, this.#sources)
  }
}
