import type { Broker } from '../core/broker.js'
import type { Clock } from '../core/clock.js'

/** ms after which what was learnt is asked for anew: two clocks drift apart slowly. */
const goodFor = 60_000
/** ms after which it is asked again where there was no answer. */
const askAgain = 1000

/**
 * Redis's clock as this process knows it: asked where an instant hangs on it, else estimated by the
 * monotonic time, for the wall clock here may be wrong, or put right while this runs.
 */
export class RedisTime {
  readonly #broker: Broker
  readonly #clock: Clock
  /** How far Redis's time is ahead of the monotonic time here, in ms. */
  #ahead: number
  #learnt = Number.NEGATIVE_INFINITY
  #asking: Promise<number> | undefined

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
    this.#ahead = clock.now() - clock.monotonic()
  }

  /** ms, by what was last learnt; before that by the wall clock here. Asks anew where that is old. */
  estimate(): number {
    const now = this.#clock.monotonic()
    if (now - this.#learnt > goodFor) {
      this.#learnt = now
      this.ask().catch(() => {
        this.#learnt = now - goodFor + askAgain
      })
    }
    return Math.round(now + this.#ahead)
  }

  /** Redis's time in ms; calls at the same time share one. */
  ask(): Promise<number> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(): Promise<number> {
    const before = this.#clock.monotonic()
    const now = await this.#broker.now()
    const after = this.#clock.monotonic()
    this.#ahead = now - (before + after) / 2
    this.#learnt = after
    return now
  }
}
