import type { Counters } from '../telemetry/metrics.js'

/** Counts outcomes by type in one map, and hands them to the counters once a cycle. */
export class Tally {
  readonly #counters: Counters
  readonly #queue: string
  /** By type, then by outcome. */
  readonly #ended = new Map<string, Map<string, number>>()
  #broken = 0

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

  /** A task whose record could not be read. */
  countBroken(): void {
    this.#broken += 1
  }

  flush(refused: number): void {
    for (const [type, ended] of this.#ended) {
      for (const [outcome, amount] of ended) {
        const labels = { queue: this.#queue, type, outcome }
        this.#counters.add('redisdistro_attempts_total', labels, amount)
      }
    }
    this.#ended.clear()
    if (this.#broken > 0) {
      const labels = { queue: this.#queue }
      this.#counters.add('redisdistro_broken_records_total', labels, this.#broken)
      this.#broken = 0
    }
    if (refused > 0) {
      this.#counters.add('redisdistro_settlements_refused_total', { queue: this.#queue }, refused)
    }
  }
}
