import type { Counters } from '../telemetry/metrics.js'

/** Counts outcomes by type in one map, and hands them to the counters once a cycle. */
export class Tally {
  readonly #counters: Counters
  readonly #queue: string
  readonly #ended = new Map<string, number>()

  constructor(counters: Counters, queue: string) {
    this.#counters = counters
    this.#queue = queue
  }

  count(type: string, outcome: string): void {
    const key = `${outcome} ${type}`
    this.#ended.set(key, (this.#ended.get(key) ?? 0) + 1)
  }

  flush(refused: number): void {
    for (const [key, amount] of this.#ended) {
      const [outcome = '', type = ''] = key.split(' ')
      const labels = { queue: this.#queue, type, outcome }
      this.#counters.add('redisdistro_attempts_total', labels, amount)
    }
    this.#ended.clear()
    if (refused > 0) {
      this.#counters.add('redisdistro_settlements_refused_total', { queue: this.#queue }, refused)
    }
  }
}
