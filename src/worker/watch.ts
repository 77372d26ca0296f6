import type { QueueWorkerOptions } from './options.js'

/** How long an idle worker waits for a mark at most, in ms: a lost mark delays no task longer. */
const longestWait = 1000

export interface WatchParts {
  readonly options: QueueWorkerOptions
  /** ms by Redis's clock. */
  now(): number
  /** It is time for a cycle. */
  onLook(): void
}

/** A pump's eye on a queue that gave less than was asked of it: until a mark, or until something is due. */
export class Watch {
  readonly #parts: WatchParts
  /** True while the last cycle got less than it asked for. */
  #dry = false
  /** True where a mark may have been taken: a cycle must follow, which leaves it anew if need be. */
  #marked = false
  #nextDue = Number.POSITIVE_INFINITY
  #waiting: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #stop = new AbortController()

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  get dry(): boolean {
    return this.#dry
  }
  get marked(): boolean {
    return this.#marked
  }
  get due(): boolean {
    return this.#nextDue <= this.#parts.now()
  }

  /** A cycle is sent, which answers any mark. */
  send(): void {
    this.#marked = false
  }

  /** It gave all that was asked of it, or, if not, something is due then (ms). */
  hear(all: boolean, nextDue: number | undefined): void {
    this.#dry = !all
    this.#nextDue = nextDue ?? Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
    if (this.#dry && nextDue !== undefined) this.#setTimer()
  }

  /** Waits for a mark, if it does not already. */
  wait(): void {
    if (this.#waiting) return
    const { options, onLook } = this.#parts
    const look = () => {
      this.#waiting = undefined
      this.#dry = false
      this.#marked = true
      onLook()
    }
    const waiting = options.broker.wait(options.partition, longestWait, this.#stop.signal)
    this.#waiting = waiting.then(look, look)
  }

  /**
   * Does not wait on where something has become due. A timer of this process's own, for an idle Redis
   * ends a wait up to a tenth of a second late; it may be early by a ms, and no timer lasts a month.
   */
  #setTimer(): void {
    const ms = Math.max(1, Math.min(longestWait, Math.ceil(this.#nextDue - this.#parts.now())))
    this.#timer = setTimeout(() => {
      if (!this.#dry) return
      if (!this.due) return this.#setTimer()
      this.#dry = false
      this.#parts.onLook()
    }, ms)
  }

  /** Resolves when it waits no more. */
  async end(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await this.#waiting
  }
}
