import type { SettledOutcome } from '../core/broker.js'
import type { TaskLog } from '../core/definition.js'
import { RedisDistroError } from '../core/errors.js'
import { decideOutcome, toTaskError } from '../core/outcome.js'
import { suspectAfter } from '../core/retry.js'
import { type AttemptParts, attempt, policyOf } from './attempt.js'
import type { Isolate } from './isolate.js'
import type { QueueWorkerOptions } from './options.js'
import type { Run } from './run.js'
import { runAlone } from './run-alone.js'
import { wordsOf } from './settle-apart.js'

export interface RunnerParts {
  readonly options: QueueWorkerOptions
  /** Aborted when the worker starts nothing any more. */
  readonly closing: AbortSignal
  /** ms by Redis's clock. */
  now(): number
  logFor(run: Run): TaskLog
}

/** Runs tasks: in this process, or alone in one of their own where leases were lost with them. */
export class Runner {
  readonly #parts: RunnerParts
  readonly #attempt: AttemptParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
    const { partition, registry, settings } = parts.options
    const { queue } = partition
    const { mismatchGrace } = settings
    this.#attempt = { queue, registry, mismatchGrace, now: parts.now, random: Math.random }
  }

  /** What a run comes to; rejects only by a fault that is not its handler's. */
  outcomeOf(run: Run): Promise<SettledOutcome> {
    const { registry, clock, isolate } = this.#parts.options
    const { body, losses } = run.leased
    const known = registry.get(body.type)
    if (!known) return attempt(run, known, this.#attempt)
    const timeout = body.overrides.timeout ?? known.timeout
    run.maxAttempts = policyOf(run, known).attempts
    if (isolate && losses >= suspectAfter) return this.#beginAlone(run, isolate, timeout)
    run.deadline = clock.monotonic() + timeout
    return attempt(run, known, this.#attempt)
  }

  #beginAlone(run: Run, isolate: Isolate, timeout: number): Promise<SettledOutcome> {
    const { options, closing, logFor } = this.#parts
    const begins = () => {
      run.deadline = options.clock.monotonic() + timeout
    }
    const { maxCrashes } = options.settings
    return runAlone(run, { isolate, maxCrashes, log: logFor(run), closing, begins })
  }

  /** What a run past its timeout comes to, and what it is told; undefined where no one knows its type. */
  timedOut(run: Run): { outcome: SettledOutcome; reason: RedisDistroError } | undefined {
    const known = this.#attempt.registry.get(run.leased.body.type)
    if (!known) return undefined
    const ms = run.leased.body.overrides.timeout ?? known.timeout
    const words = `the handler ran longer than its timeout of ${ms} ms`
    const reason = new RedisDistroError('timeout', words)
    const policy = policyOf(run, known)
    const decide = { policy, attempt: run.leased.failures + 1, random: Math.random }
    return { outcome: decideOutcome({ kind: 'threw', error: reason }, decide), reason }
  }

  /** Running it again would not help: it is buried, and keeps nothing else from its work. */
  faultOf(run: Run, error: unknown): SettledOutcome {
    const words = `the task could not be run: ${wordsOf(error)}`
    this.#parts
      .logFor(run)
      .error('A task could not be run; it is buried', { reason: wordsOf(error) })
    return { name: 'bury', error: toTaskError(new RedisDistroError('internal', words)) }
  }
}
