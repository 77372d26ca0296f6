import type { Clock } from '../core/clock.js'

/** How long handlers may keep the event loop in one turn, in ms, before all else has its turn too. */
const longest = 10

/** A worker's part of one turn of the event loop. */
export class Slice {
  readonly #clock: Clock
  readonly #goOn: () => void
  #began: number | undefined
  #cut = false

  /** `goOn` is called in the turn after one that was cut. */
  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock
    this.#goOn = goOn
  }

  /** True where no more may begin in this turn. */
  get over(): boolean {
    const now = this.#clock.monotonic()
    if (this.#began === undefined) {
      this.#began = now
      setImmediate(() => this.#end())
    }
    this.#cut ||= now - this.#began >= longest
    return this.#cut
  }

  #end(): void {
    const cut = this.#cut
    this.#began = undefined
    this.#cut = false
    if (cut) this.#goOn()
  }
}
