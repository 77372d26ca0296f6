import type { Clock } from '../core/clock.js'

/** Redis's time as a worker knows it: this process's monotonic time, and how far Redis is ahead. */
export class RedisClock {
  readonly #clock: Clock
  /** ms. */
  #ahead: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#ahead = clock.now() - clock.monotonic()
  }

  /** ms since the epoch. */
  now(): number {
    return this.#clock.monotonic() + this.#ahead
  }

  /**
   * Redis said `now` at some moment between two of this process's monotonic time. No more is known:
   * what ran here before the answer was heard says nothing of Redis.
   */
  hear(now: number, { began, ended }: { readonly began: number; readonly ended: number }): void {
    this.#ahead = Math.min(Math.max(this.#ahead, now - ended), now - began)
  }
}
