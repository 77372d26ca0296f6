import type {
  Broker,
  JobProgress,
  JobRecord,
  JobState,
  Partition,
  StoredTask,
} from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError } from '../core/errors.js'
import { tagOf } from '../core/partition.js'
import { parseRate } from '../core/rate.js'
import type { Directory } from './contract.js'
import { readDead, readsRecords, type SettledWindow, windowOf } from './dead-letters.js'
import { queueParts } from './locate.js'

/** ms for which a job is held; its holder says again each second that it lives. */
export const jobLease = 6000
const beat = 1000
/** Dead letters in one script call at most. */
const mostAtOnce = 100

export interface JobRunParts {
  readonly broker: Broker
  readonly directory: Directory
  readonly clock: Clock
  /** The name under which this process holds jobs. */
  readonly holder: string
  /** Aborted when the process gives its jobs up. */
  readonly signal: AbortSignal
}

/** Thrown from where it is found to where the run ends. */
class Interrupted extends Error {
  constructor(readonly why: 'stopped' | 'lost' | 'given up') {
    super(why)
  }
}

/** Another kernel, which has its queues in another order, goes on behind the same ones. */
const byTag = (a: Partition, b: Partition): number => (tagOf(a) < tagOf(b) ? -1 : 1)

/** One run of a job, from where the one before left it. */
class JobRun {
  readonly #parts: JobRunParts
  readonly #job: JobRecord
  readonly #window: SettledWindow
  #progress: JobProgress
  /** ms from the monotonic time to Redis's. */
  #toRedis = 0
  /** Monotonic ms: when the next one may go by the rate, and when its holder last said a word. */
  #nextAt = 0
  #beatAt: number

  constructor(job: JobRecord, parts: JobRunParts) {
    const { total, done, skipped, place, due } = job
    this.#parts = parts
    this.#job = job
    this.#window = windowOf(job.filter, job.startedAt)
    this.#progress = { total, done, skipped, place, due }
    this.#beatAt = Number.NEGATIVE_INFINITY
  }

  async run(): Promise<void> {
    if (this.#job.stopping) throw new Interrupted('stopped')
    const { broker, directory } = this.#parts
    await this.#takeUpRate()
    const { filter, key } = this.#job
    const parts = (await queueParts(directory, filter.queue))
      .flatMap((queue) => queue.parts)
      .sort(byTag)
    if (this.#progress.total === undefined && !readsRecords(filter)) {
      const call = { deadLetter: key, ...this.#window }
      const spans = await Promise.all(parts.map((part) => broker.deadSpan(part, call)))
      await this.#advance({ total: spans.reduce((sum, { count }) => sum + count, 0) })
    }
    const { tag: first = '' } = this.#progress.place ?? {}
    const left = parts.filter((part) => tagOf(part) >= first)
    for (const [index, partition] of left.entries()) await this.#sweep(partition, left[index + 1])
  }

  /** Says how it ended, whoever holds it by then. */
  async end(state: JobState, error?: string): Promise<void> {
    const progress = error === undefined ? this.#progress : { ...this.#progress, error }
    await this.#keep({ state, lease: 0, progress })
  }

  async #sweep(partition: Partition, following: Partition = partition): Promise<void> {
    const { broker } = this.#parts
    const { key, filter } = this.#job
    const window = this.#window
    const tag = tagOf(partition)
    let after = this.#progress.place?.tag === tag ? this.#progress.place.after : undefined
    do {
      // A page on which nothing is meant waits for no turn.
      this.#heed()
      const read = { partition, key, filter, window, limit: mostAtOnce, after }
      const { tasks, next } = await readDead(broker, read)
      // Those of a page that is read again after a death are no longer dead, or are skipped anew.
      const skipped = await this.#requeue(partition, tasks)
      after = next
      await this.#advance({
        skipped: this.#progress.skipped + skipped,
        place: next === undefined ? { tag: tagOf(following) } : { tag, after: next },
      })
    } while (after !== undefined)
  }

  /** In parts as the rate allows; returns how many were left where they were. */
  async #requeue(partition: Partition, tasks: readonly StoredTask[]): Promise<number> {
    let skipped = 0
    const step = this.#step()
    for (let at = 0; at < tasks.length; at += step) {
      const ids = tasks.slice(at, at + step).map(({ id }) => id)
      await this.#turn(ids.length)
      const results = await this.#parts.broker.requeue(partition, ids, this.#window.to)
      const moved = results.filter(({ ok }) => ok).length
      skipped += results.length - moved
      await this.#advance({ done: this.#progress.done + moved, due: this.#due() })
    }
    return skipped
  }

  /** Where the kernel before left it, so that no rate begins anew with each. */
  async #takeUpRate(): Promise<void> {
    const now = this.#parts.clock.monotonic()
    this.#toRedis = (await this.#parts.broker.now()) - now
    const due = (this.#progress.due ?? 0) - this.#toRedis
    // Redis's clock may have been set back: no longer than anything waits.
    this.#nextAt = Math.min(due, now + this.#step() * this.#perTask())
  }

  #due(): number | undefined {
    return this.#perTask() === 0 ? undefined : Math.ceil(this.#nextAt + this.#toRedis)
  }

  #perTask(): number {
    const rate = parseRate(this.#job.rate ?? '')
    return rate === undefined ? 0 : rate.per / rate.amount
  }

  /** What goes in a tenth of a second, so that a rate is no row of bursts. */
  #step(): number {
    const each = this.#perTask()
    return each === 0 ? mostAtOnce : Math.min(mostAtOnce, Math.max(1, Math.floor(100 / each)))
  }

  /** Waits until so many may go, and says meanwhile that the job is held. */
  async #turn(count: number): Promise<void> {
    const { clock, signal } = this.#parts
    const allowed = Math.max(this.#nextAt, clock.monotonic())
    this.#nextAt = allowed + count * this.#perTask()
    for (;;) {
      const rest = allowed - clock.monotonic()
      this.#heed()
      if (rest <= 0) return
      await pause(Math.min(rest, beat), signal)
      await this.#beat()
    }
  }

  #heed(): void {
    if (this.#parts.signal.aborted) throw new Interrupted('given up')
  }

  async #beat(): Promise<void> {
    if (this.#parts.clock.monotonic() - this.#beatAt >= beat) await this.#advance({})
  }

  async #advance(progress: Partial<JobProgress>): Promise<void> {
    this.#progress = { ...this.#progress, ...progress }
    await this.#keep({ state: 'running', lease: jobLease, progress: this.#progress })
  }

  async #keep(call: { state: JobState; lease: number; progress: JobProgress }): Promise<void> {
    const { broker, clock, holder } = this.#parts
    const answer = await broker.keepJob(this.#job, { holder, ...call })
    this.#beatAt = clock.monotonic()
    if (answer === 'lost') throw new Interrupted('lost')
    if (answer === 'stop' && call.lease > 0) throw new Interrupted('stopped')
  }

  /** Lets go of it, for another to take at once. */
  async release(): Promise<void> {
    await this.#keep({ state: 'running', lease: 0, progress: this.#progress })
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/**
 * Does a job that this process holds. Where the store is away it is thrown, and the job stays as it
 * is for whoever takes it next; any other error is the job's own end.
 */
export async function runJob(job: JobRecord, parts: JobRunParts): Promise<void> {
  const run = new JobRun(job, parts)
  const finish = () => run.end('done')
  try {
    await run.run().then(finish, (error: unknown) => breakOff(run, error))
  } catch (error) {
    // Another has it by now, whatever was to be said of it.
    if (!(error instanceof Interrupted)) throw error
  }
}

async function breakOff(run: JobRun, error: unknown): Promise<void> {
  if (error instanceof Interrupted) {
    if (error.why === 'stopped') await run.end('stopped')
    if (error.why === 'given up') await run.release()
    return
  }
  if (isRedisDistroError(error) && error.family === 'infrastructure') throw error
  await run.end('failed', error instanceof Error ? error.message : String(error))
}
