import type { Broker, Partition, StoredTask } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isEnded } from '../core/state.js'
import type { Found } from './locate.js'

/** ms between two looks for one waiter: short at first, longer the longer it waits. */
const shortest = 20
const longest = 250
const growth = 1.4

interface Waiter {
  readonly id: string
  readonly deadline: number
  pause: number
  nextLook: number
  last: Found
  /** What the last look failed with, where it did. */
  error?: unknown
  finish(outcome: { error?: unknown }): void
}

/**
 * Waits for tasks to end: one timer for all who wait, and one look-up a partition for all ids whose
 * turn it is. A look that fails is repeated until the deadline.
 */
export class Waiters {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #waiting = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /** The task when it has ended, or as it was last seen at the deadline (ms) or the abort. */
  wait(first: Found, ms: number, signal?: AbortSignal): Promise<Found> {
    const now = this.#clock.monotonic()
    if (isEnded(first.task.state) || ms <= 0 || signal?.aborted) return Promise.resolve(first)
    return new Promise((resolve, reject) => {
      const abort = () => waiter.finish({})
      const waiter: Waiter = {
        id: first.task.id,
        deadline: now + ms,
        pause: shortest,
        nextLook: now + Math.min(shortest, ms),
        last: first,
        finish: (outcome) => {
          if (!this.#waiting.delete(waiter)) return
          signal?.removeEventListener('abort', abort)
          if ('error' in outcome) reject(outcome.error)
          else resolve(waiter.last)
          this.#arm()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(waiter)
      this.#arm()
    })
  }

  /** Everyone hears what was seen last. */
  close(): void {
    for (const waiter of [...this.#waiting]) waiter.finish({})
  }

  #arm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#looking || this.#waiting.size === 0) return
    let next = Number.POSITIVE_INFINITY
    for (const waiter of this.#waiting) next = Math.min(next, waiter.nextLook)
    const pause = Math.max(next - this.#clock.monotonic(), 1)
    this.#timer = setTimeout(() => void this.#look(), pause)
  }

  async #look(): Promise<void> {
    this.#looking = true
    const now = this.#clock.monotonic()
    const turns = new Map<Partition, Waiter[]>()
    for (const waiter of this.#waiting) {
      if (waiter.nextLook > now) continue
      const { partition } = waiter.last
      const others = turns.get(partition)
      if (others === undefined) turns.set(partition, [waiter])
      else others.push(waiter)
    }
    await Promise.all([...turns].map(([partition, waiters]) => this.#lookIn(partition, waiters)))
    this.#looking = false
    this.#arm()
  }

  async #lookIn(partition: Partition, waiters: readonly Waiter[]): Promise<void> {
    const ids = [...new Set(waiters.map(({ id }) => id))]
    try {
      const tasks = await this.#broker.find(partition, ids)
      const seen = new Map(tasks.map((task, index) => [ids[index], task]))
      for (const waiter of waiters) this.#saw(waiter, seen.get(waiter.id))
    } catch (error) {
      for (const waiter of waiters) this.#failed(waiter, error)
    }
  }

  #saw(waiter: Waiter, task: StoredTask | undefined): void {
    delete waiter.error
    // One that is gone had ended, and is not retained.
    if (task !== undefined) waiter.last = { partition: waiter.last.partition, task }
    if (task === undefined || isEnded(task.state)) waiter.finish({})
    else this.#nextTurn(waiter)
  }

  #failed(waiter: Waiter, error: unknown): void {
    waiter.error = error
    this.#nextTurn(waiter)
  }

  #nextTurn(waiter: Waiter): void {
    const now = this.#clock.monotonic()
    if (now >= waiter.deadline) {
      waiter.finish(waiter.error === undefined ? {} : { error: waiter.error })
    } else {
      waiter.pause = Math.min(waiter.pause * growth, longest)
      waiter.nextLook = Math.min(now + waiter.pause, waiter.deadline)
    }
  }
}
