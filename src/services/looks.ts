import type { Partition } from '../core/broker.js'
import { tagOf } from '../core/partition.js'
import type { Service } from '../core/service.js'

export interface LooksOptions<Place> {
  readonly name: string
  /** Between two looks at one partition, in ms; more where the one before takes longer. */
  readonly every: number
  /** Each round goes over those that there are then. */
  readonly places: Iterable<Place>
  partitionOf(place: Place): Partition
  look(place: Place): Promise<void>
  /** Told of a failure once, until none fails any more. */
  onFailure(error: unknown): void
}

/** Looks under way at one time: one Redis answers no more of them the sooner. */
const mostAtOnce = 32

/**
 * A service that looks at each partition again and again. Several are looked at at once, and a slow
 * or mute one keeps none of the others waiting for their next look. Looks at one never overlap.
 */
export class Looks<Place> implements Service {
  readonly name: string
  readonly #options: LooksOptions<Place>
  readonly #pending = new Map<string, Place>()
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #failing = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: LooksOptions<Place>) {
    this.name = options.name
    this.#options = options
  }

  start(): void {
    if (this.#timer) return
    this.#timer = setInterval(() => this.#round(), this.#options.every)
    this.#round()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#pending.clear()
    await this.#rest()
  }

  /** A look at each partition that none is under way at; resolves when all have ended. */
  async tick(): Promise<void> {
    this.#round()
    await this.#rest()
  }

  async #rest(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values())
  }

  #round(): void {
    const { places, partitionOf } = this.#options
    const all = new Map<string, Place>()
    for (const place of places) all.set(tagOf(partitionOf(place)), place)
    for (const tag of this.#failing) if (!all.has(tag)) this.#failing.delete(tag)
    for (const [tag, place] of all) if (!this.#underWay.has(tag)) this.#pending.set(tag, place)
    this.#fill()
  }

  #fill(): void {
    for (const [tag, place] of this.#pending) {
      if (this.#underWay.size >= mostAtOnce) return
      this.#pending.delete(tag)
      this.#underWay.set(tag, this.#look(tag, place))
    }
  }

  async #look(tag: string, place: Place): Promise<void> {
    // Not at once: what ends before it is noted would be noted for ever.
    await Promise.resolve()
    try {
      await this.#options.look(place)
      this.#failing.delete(tag)
    } catch (error) {
      if (this.#failing.size === 0) this.#options.onFailure(error)
      this.#failing.add(tag)
    }
    this.#underWay.delete(tag)
    this.#fill()
  }
}
