import type { LeasedTask, SettledOutcome, Settlement } from '../core/broker.js'
import type { TaskLog } from '../core/definition.js'
import { RedisDistroError } from '../core/errors.js'
import { type HeldTask, nameOf } from './held-task.js'
import type { QueueWorkerOptions } from './options.js'
import { Run, type RunHost } from './run.js'
import { Runner } from './runner.js'
import { Running } from './running.js'
import { isStoreFault, wordsOf } from './settle-apart.js'
import { Slice } from './slice.js'
import type { Tally } from './tally.js'

export interface SlotsParts {
  readonly options: QueueWorkerOptions
  readonly worker: string
  readonly tally: Tally
  /** ms by Redis's clock. */
  now(): number
  /** Something was settled, or a slot is free. */
  onChange(): void
}

/**
 * What a worker holds: tasks claimed and not started, runs in its slots, and settlements that Redis
 * has not heard yet. Every task that was leased is in exactly one of the three until it is heard.
 */
export class Slots implements RunHost {
  readonly queue: string
  readonly #parts: SlotsParts
  readonly #runner: Runner
  readonly #running = new Running()
  readonly #slice: Slice
  #claimed: LeasedTask[] = []
  #settled: Settlement[] = []
  #starting = true
  readonly #closing = new AbortController()

  constructor(parts: SlotsParts) {
    this.#parts = parts
    this.queue = parts.options.partition.queue
    this.#slice = new Slice(parts.options.clock, () => this.start())
    this.#runner = new Runner({
      options: parts.options,
      closing: this.#closing.signal,
      now: parts.now,
      logFor: (run) => this.logFor(run),
    })
  }

  get running(): number {
    return this.#running.size
  }
  get claimed(): number {
    return this.#claimed.length
  }
  get settled(): number {
    return this.#settled.length
  }

  /** Takes leased tasks; they start with the next `start`, or when a slot becomes free. */
  claim(tasks: readonly LeasedTask[]): void {
    this.#claimed.push(...tasks)
  }

  /** Starts as many claimed tasks as there are free slots; some of them in the next turn of the loop. */
  start(): void {
    const { concurrency } = this.#parts.options
    while (this.#starting && this.#running.size < concurrency && this.#claimed.length > 0) {
      if (this.#slice.over) return
      this.#begin(this.#claimed.shift() as LeasedTask)
    }
  }

  /** No task is started any more; what was claimed ahead goes back. */
  close(): void {
    this.#starting = false
    this.#closing.abort()
    this.giveBack(0)
  }

  /** Settlements to send, at most 1000; `unheard` brings them back if the call failed. */
  take(): Settlement[] {
    return this.#settled.splice(0, 1000)
  }

  unheard(settled: readonly Settlement[]): void {
    this.#settled.unshift(...settled)
  }

  /** True for what is held here, by id and fence. */
  knows(sending: readonly Settlement[]): (held: HeldTask) => boolean {
    const known = new Set([
      ...this.#claimed.map(nameOf),
      ...this.#running.all().map(({ leased }) => nameOf(leased)),
      ...[...sending, ...this.#settled].map(({ task }) => nameOf(task)),
    ])
    return (held) => known.has(nameOf(held))
  }

  /** Gives back what does not start at once. */
  giveBackWaiting(): void {
    this.giveBack(Math.max(0, this.#parts.options.concurrency - this.#running.size))
  }

  /** Gives back what was claimed ahead beyond `keep`. */
  giveBack(keep: number): void {
    const surplus = this.#claimed.splice(keep)
    for (const task of surplus) this.#settle(task, { name: 'release' }, this.#parts.now(), false)
    if (surplus.length > 0) this.#parts.onChange()
  }

  /** Cancelled: handlers are told, their slots are free, and what they say later is not heard. */
  cancel(cancelled: readonly HeldTask[]): void {
    const names = new Set(cancelled.map(nameOf))
    for (const run of this.#running.all()) {
      // By id and fence: a task may be held anew before its cancelled run has heard of it.
      if (!names.has(nameOf(run.leased))) continue
      this.#free(run, new RedisDistroError('wrong_state', 'the task was cancelled'))
    }
    this.#claimed = this.#claimed.filter((task) => !names.has(nameOf(task)))
    this.start()
    this.#parts.onChange()
  }

  /** The lease is lost: everything stops, and nothing that is said counts. */
  lose(): void {
    this.#starting = false
    const reason = new RedisDistroError('lease_lost', 'the lease of this worker was lost')
    for (const run of this.#running.all()) this.#free(run, reason)
    this.#claimed = []
    this.#settled = []
  }

  /** Past the shutdown's grace: handlers are told, and what they throw then is no failure of theirs. */
  abortAll(): void {
    const reason = new RedisDistroError('closed', 'the worker shuts down')
    for (const run of this.#running.all()) {
      this.logFor(run).warn('The task did not end within shutdownGrace; it is given back unspent')
      run.endsWithWorker = true
      run.abort(reason)
    }
  }

  releaseAll(): void {
    for (const run of this.#running.all()) this.#finish(run, { name: 'release', begun: true })
  }

  /** Runs past their timeout fail now, whether or not their handler heeds the signal. */
  sweep(): void {
    const now = this.#parts.options.clock.monotonic()
    for (const run of this.#running.all()) {
      if (run.deadline <= now) this.#timeOut(run)
    }
  }

  logFor(run: Run): TaskLog {
    return this.#parts.options.log.with(this.#fieldsOf(run))
  }

  #fieldsOf({ leased: { id, body, failures } }: Run) {
    const plugin = this.#parts.options.registry.get(body.type)?.plugin
    const fields = { taskId: id, type: body.type, queue: this.queue, attempt: failures + 1 }
    return plugin === undefined ? fields : { ...fields, plugin }
  }

  /** That Redis is away fails no handler: what comes of its progress is not worth an attempt. */
  async progress(run: Run, value: unknown): Promise<void> {
    const { broker, partition } = this.#parts.options
    try {
      await broker.progress(partition, this.#parts.worker, run.leased, value)
    } catch (error) {
      if (!isStoreFault(error)) throw error
      this.logFor(run).debug('Progress was not stored', { reason: wordsOf(error) })
    }
  }

  #begin(task: LeasedTask): void {
    // By Redis's clock as it is known here, which may lag some ms.
    const run = new Run(task, this, Math.max(this.#parts.now(), task.leasedAt))
    this.#running.add(run)
    void this.#carryOut(run)
  }

  async #carryOut(run: Run): Promise<void> {
    let outcome: SettledOutcome
    try {
      outcome = await this.#runner.outcomeOf(run)
    } catch (error) {
      outcome = this.#runner.faultOf(run, error)
    }
    this.#finish(run, outcome)
  }

  #timeOut(run: Run): void {
    const end = this.#runner.timedOut(run)
    if (!end) return
    this.#finish(run, end.outcome)
    run.abort(end.reason)
  }

  /** A run's end is heard once; a run whose slot was freed before is not heard at all. */
  #finish(run: Run, outcome: SettledOutcome): void {
    if (run.over) return
    run.over = true
    this.#running.delete(run)
    const excused = run.endsWithWorker && outcome.name !== 'complete'
    const heard: SettledOutcome = excused ? { name: 'release', begun: true } : outcome
    this.#settle(run.leased, heard, run.startedAt, run.progressed)
    if (heard.name === 'retry' || heard.name === 'bury') this.#tellFailure(run, heard)
    this.#parts.tally.count(run.leased.body.type, heard.name)
    if (run.leased.broken !== undefined) this.#parts.tally.countBroken()
    this.start()
    this.#parts.onChange()
  }

  /** A failure that is tried again is usual, and is told with the task; what is given up on is said. */
  #tellFailure(run: Run, { name, error }: SettledOutcome & { name: 'retry' | 'bury' }): void {
    const { log } = this.#parts.options
    const fields = () => ({ ...this.#fieldsOf(run), error })
    if (name === 'bury') log.warn('A task failed for good; it is a dead letter now', fields())
    else log.debug('A task failed; it is tried again', fields())
  }

  #settle(task: LeasedTask, outcome: SettledOutcome, startedAt: number, progressed: boolean): void {
    const endedAt = Math.max(startedAt, this.#parts.now())
    this.#settled.push({ task, startedAt, endedAt, progressed, outcome })
  }

  #free(run: Run, reason: unknown): void {
    run.over = true
    this.#running.delete(run)
    run.abort(reason)
  }
}
