import type { Service } from '../core/service.js'

export interface RoundOptions {
  readonly name: string
  /** Between the end of a round and the start of the next, in ms; asked after each. */
  readonly every: number | (() => number)
  round(): Promise<void>
  /** Told of a failure once, until a round succeeds again. */
  onFailure(error: unknown): void
}

/** From a failed round to the next one at most, in ms. */
const soonAgain = 1000

/**
 * A service that does one thing again and again. Rounds never overlap; a failure ends
 * none of them, and is followed by another round soon.
 */
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

  /** One round. */
  async tick(): Promise<void> {
    try {
      await this.#options.round()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.onFailure(error)
      this.#failing = true
    }
  }

  #pause(): number {
    const { every: said } = this.#options
    const every = typeof said === 'number' ? said : said()
    return this.#failing ? Math.min(every, soonAgain) : every
  }

  #schedule(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#current = this.tick().then(() => this.#schedule(this.#pause()))
    }, ms)
  }
}
