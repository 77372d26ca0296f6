import { type Clock, loopBusy } from '../core/clock.js'

/** No more than this is ever claimed ahead, so that one worker never hoards a queue. */
const most = 500
/** Weight of the newest measurement. */
const weight = 0.3
/**
 * How long handlers may keep the loop during a call, in ms, and still count as its round trip. What
 * goes beyond is their own time: to claim more for it would keep the loop longer yet.
 */
const longestBusy = 25

/**
 * How many tasks to claim beyond the free slots: completions a second times round trip times two,
 * so that handlers never wait for Redis. Nothing for slow handlers, a few hundred for instant ones.
 */
export class ClaimAhead {
  readonly #clock: Clock
  #perMs = 0
  #roundTrip = 1
  #lastHeard: number
  #sent = { at: 0, busy: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lastHeard = clock.monotonic()
  }

  /** A cycle is sent. Its monotonic time in ms. */
  send(): number {
    this.#sent = { at: this.#clock.monotonic(), busy: loopBusy() }
    return this.#sent.at
  }

  /** Its answer is here; `completed` tasks ended since the one before. Its monotonic time in ms. */
  hear(completed: number): number {
    const now = this.#clock.monotonic()
    const busy = loopBusy() - this.#sent.busy
    const roundTrip = now - this.#sent.at - Math.max(0, busy - longestBusy)
    this.measure(completed, now - this.#lastHeard, Math.max(0, roundTrip))
    this.#lastHeard = now
    return now
  }

  /** ms since the last answer. */
  get silence(): number {
    return this.#clock.monotonic() - this.#lastHeard
  }

  /** `completed` tasks ended within `ms`, in calls that each take `roundTrip` ms. */
  measure(completed: number, ms: number, roundTrip: number): void {
    this.#roundTrip += (roundTrip - this.#roundTrip) * weight
    if (ms <= 0) return
    this.#perMs += (completed / ms - this.#perMs) * weight
  }

  /** Tasks to hold beyond the slots. */
  get room(): number {
    return Math.min(most, Math.floor(this.#perMs * this.#roundTrip * 2))
  }
}
