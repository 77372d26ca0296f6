import type { Service } from '../core/service.js'

export interface RoundOptions {
  readonly name: string
  /** Between the end of a round and the start of the next, in ms. */
  readonly every: number
  round(): Promise<void>
  /** Told of a failure once, until a round succeeds again. */
  onFailure(error: unknown): void
}

/** A service that does one thing again and again. Rounds never overlap; a failure ends none of them. */
export class Rounds implements Service {
  readonly name: string
  readonly #options: RoundOptions
  #timer: NodeJS.Timeout | undefined
  #current: Promise<void> = Promise.resolve()
  #stopped = true
  #failing = false

  constructor(options: RoundOptions) {
    this.name = options.name
    this.#options = options
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#schedule(0)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#current
  }

  async tick(): Promise<void> {
    try {
      await this.#options.round()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.onFailure(error)
      this.#failing = true
    }
  }

  #schedule(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#current = this.tick().then(() => this.#schedule(this.#options.every))
    }, ms)
  }
}
