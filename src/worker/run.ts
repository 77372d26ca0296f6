import type { LeasedTask } from '../core/broker.js'
import type { TaskContext, TaskLog } from '../core/definition.js'

/** What a run needs of the worker that it belongs to. */
export interface RunHost {
  readonly queue: string
  logFor(run: Run): TaskLog
  progress(run: Run, value: unknown): Promise<void>
}

/**
 * One attempt of one task under this worker. It is also the context that the handler sees: signal,
 * log and progress are made only when the handler asks for them, since most never do.
 */
export class Run implements TaskContext {
  readonly leased: LeasedTask
  /** ms by Redis's clock. */
  readonly startedAt: number
  /** ms on the worker's monotonic clock; the run is timed out past it. */
  deadline = Number.POSITIVE_INFINITY
  maxAttempts = 1
  /** Where it stands among those that run. */
  slot = 0
  progressed = false
  /** True once its slot is free: what the handler says later is not heard. */
  over = false
  /** True once the worker ends it: what it throws then is no failure of its own. */
  endsWithWorker = false
  readonly #host: RunHost
  #controller: AbortController | undefined
  #reason: unknown

  constructor(leased: LeasedTask, host: RunHost, startedAt: number) {
    this.leased = leased
    this.startedAt = startedAt
    this.#host = host
  }

  get task(): TaskContext['task'] {
    const { id, body, failures, fence } = this.leased
    return {
      id,
      type: body.type,
      queue: this.#host.queue,
      attempt: failures + 1,
      maxAttempts: this.maxAttempts,
      enqueuedAt: new Date(body.enqueuedAt),
      fence: Number(fence),
    }
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  get log(): TaskLog {
    return this.#host.logFor(this)
  }

  get progress(): (value: unknown) => Promise<void> {
    return async (value) => {
      if (this.over) return
      this.progressed = true
      await this.#host.progress(this, value)
    }
  }

  /** Tells the handler to stop. */
  abort(reason: unknown): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
  }
}
