import type { Broker } from '../core/broker.js'
import type { Clock } from '../core/clock.js'

/** Redis's clock as this process knows it: asked where an instant hangs on it, else estimated. */
export class RedisTime {
  readonly #broker: Broker
  readonly #clock: Clock
  #offset = 0
  #asking: Promise<number> | undefined

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /** ms by the local clock, corrected by what was last learnt. */
  estimate(): number {
    return Math.round(this.#clock.now() + this.#offset)
  }

  /** Redis's time in ms; calls at the same time share one. */
  ask(): Promise<number> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(): Promise<number> {
    const before = this.#clock.now()
    const now = await this.#broker.now()
    this.#offset = now - (before + this.#clock.now()) / 2
    return now
  }
}
