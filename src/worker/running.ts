import type { Run } from './run.js'

/**
 * The runs of a worker that have not ended. An array, not a Set: a Set that many things pass through
 * leaves old tables behind, each of which holds the next, and what they hold lives until a full
 * collection; that cost a quarter of a busy worker's CPU.
 */
export class Running {
  readonly #runs: Run[] = []

  get size(): number {
    return this.#runs.length
  }

  add(run: Run): void {
    run.slot = this.#runs.length
    this.#runs.push(run)
  }

  /** The last one takes its slot; nothing happens where it is not here. */
  delete(run: Run): void {
    if (this.#runs[run.slot] !== run) return
    const last = this.#runs.pop()
    if (last === undefined || last === run) return
    last.slot = run.slot
    this.#runs[run.slot] = last
  }

  /** As they are now: each may end while one goes through them. */
  all(): Run[] {
    return [...this.#runs]
  }
}
