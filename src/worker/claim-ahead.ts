/** No more than this is ever claimed ahead, so that one worker never hoards a queue. */
const most = 500
/** Nor more than is done in this time, in ms: a round trip counts what ran during it, and handlers may be slow there. */
const longestAhead = 50
/** Weight of the newest measurement. */
const weight = 0.3

/**
 * How many tasks to claim beyond the free slots: completions a second times round trip times two,
 * so that handlers never wait for Redis. Nothing for slow handlers, a few hundred for instant ones.
 */
export class ClaimAhead {
  #perMs = 0
  #roundTrip = 1

  /** After a cycle: `completed` tasks ended in `ms` since the cycle before; it took `roundTrip` ms. */
  measure(completed: number, ms: number, roundTrip: number): void {
    this.#roundTrip += (roundTrip - this.#roundTrip) * weight
    if (ms <= 0) return
    this.#perMs += (completed / ms - this.#perMs) * weight
  }

  /** Tasks to hold beyond the slots. */
  get room(): number {
    return Math.min(most, Math.floor(this.#perMs * Math.min(this.#roundTrip * 2, longestAhead)))
  }
}
