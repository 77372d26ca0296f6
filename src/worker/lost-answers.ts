import type { Settlement } from '../core/broker.js'
import { nameOf } from './held-task.js'
import type { QueueWorkerOptions } from './options.js'
import type { Slots } from './slots.js'

/** Looks after a call without an answer: what was sent before a break may still be carried out. */
const looks = 5

/**
 * Finds the tasks that Redis thinks this worker holds and that nobody here knows of, and gives them
 * back: the answer that leased them was lost. It looks before the next cycle, and a lease apart a few
 * times more.
 */
export class LostAnswers {
  readonly #worker: string
  readonly #options: QueueWorkerOptions
  readonly #slots: Slots
  readonly #dropped = new Set<string>()
  #due = false
  #left = 0
  #nextLook = Number.POSITIVE_INFINITY

  constructor(worker: string, options: QueueWorkerOptions, slots: Slots) {
    this.#worker = worker
    this.#options = options
    this.#slots = slots
  }

  /** True where a look is due before the next cycle. */
  get due(): boolean {
    return this.#due
  }

  /** A call was not answered. */
  expect(): void {
    this.#due = true
    this.#left = looks
    this.#later()
  }

  /** Asks for the next look once its time has come. */
  sweep(): boolean {
    if (this.#due || this.#options.clock.monotonic() < this.#nextLook) return false
    this.#due = true
    this.#left -= 1
    this.#later()
    return true
  }

  /** These stay held until the lease is over, since settling them failed. */
  drop(settled: readonly Settlement[]): void {
    for (const { task } of settled) this.#dropped.add(nameOf(task))
  }

  /** `sending` is what the next cycle settles. Rejects as the store does; then it is due again. */
  async giveBack(sending: readonly Settlement[]): Promise<void> {
    const { broker, partition } = this.#options
    // Redis may be slow to answer: what has a slot does not wait for it.
    this.#slots.start()
    const knows = this.#slots.knows(sending)
    const held = await broker.held(partition, this.#worker)
    const unknown = held.filter((task) => !knows(task) && !this.#dropped.has(nameOf(task)))
    if (unknown.length > 0) await broker.giveBack(partition, this.#worker, unknown)
    this.#due = false
  }

  #later(): void {
    const { clock, settings } = this.#options
    const next = clock.monotonic() + settings.lease
    this.#nextLook = this.#left > 0 ? next : Number.POSITIVE_INFINITY
  }
}
