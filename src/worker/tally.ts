import type { Counters } from '../telemetry/metrics.js'

/** Counts outcomes by type in one map, and hands them to the counters once a cycle. */
export class Tally {
  readonly #counters: Counters
  readonly #queue: string
  /** By type, then by outcome. */
  readonly #ended = new Map<string, Map<string, number>>()

  constructor(counters: Counters, queue: string) {
    this.#counters = counters
    this.#queue = queue
  }

  count(type: string, outcome: string): void {
    let ended = this.#ended.get(type)
    if (ended === undefined) {
      ended = new Map()
      this.#ended.set(type, ended)
    }
    ended.set(outcome, (ended.get(outcome) ?? 0) + 1)
  }

  flush(refused: number): void {
    for (const [type, ended] of this.#ended) {
      for (const [outcome, amount] of ended) {
        const labels = { queue: this.#queue, type, outcome }
        this.#counters.add('redisdistro_attempts_total', labels, amount)
      }
    }
    this.#ended.clear()
    if (refused > 0) {
      this.#counters.add('redisdistro_settlements_refused_total', { queue: this.#queue }, refused)
    }
  }
}
