import { writeSync } from 'node:fs'

/** Not by process.stderr, which in a thread goes through the very loop that stands still. */
function sayLastWords(/** @type {number} */ ms) {
  const seconds = Math.round(ms / 1000)
  try {
    writeSync(
      2,
      `redisdistro: the event loop has stood still for ${seconds} s (worker.maxBlocked); ending process ${process.pid}\n`,
    )
  } catch {
    // Whoever reads them is gone or full; the end comes all the same.
  }
}

/**
 * Ends the process once its event loop has not turned for `maxBlocked` ms (0: never). A thread of it
 * calls `look` each `interval` ms, and the loop adds to `turns` while it turns.
 */
export class Standstill {
  #turned
  #interval
  #maxBlocked
  #lastTurn
  // Counted in rounds of the thread, not by a clock: a process that was stopped as a whole stops both.
  #still = 0

  /** @param {{ turns: SharedArrayBuffer, interval: number, maxBlocked: number }} options */
  constructor({ turns, interval, maxBlocked }) {
    this.#turned = new Int32Array(turns)
    this.#interval = interval
    this.#maxBlocked = maxBlocked
    this.#lastTurn = Atomics.load(this.#turned, 0)
  }

  look() {
    const turn = Atomics.load(this.#turned, 0)
    this.#still = turn === this.#lastTurn ? this.#still + this.#interval : 0
    this.#lastTurn = turn
    if (this.#maxBlocked <= 0 || this.#still < this.#maxBlocked) return
    sayLastWords(this.#still)
    process.kill(process.pid, 'SIGKILL')
  }
}
