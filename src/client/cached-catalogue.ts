import type { Broker, CatalogueQueue, PublishedCatalogue } from '../core/broker.js'
import type { Clock } from '../core/clock.js'

/** ms that a catalogue is as good as new. */
const freshFor = 5000
/** ms between two looks of those who miss something in it. */
const leastBetween = 1000

/** The numbers of partitions of a queue in the catalogue that are not `partitions`. */
export function formerIn(
  { layouts }: PublishedCatalogue,
  { queue, partitions }: CatalogueQueue,
): readonly number[] {
  return layouts
    .filter((layout) => layout.queue === queue && layout.partitions !== partitions)
    .map((layout) => layout.partitions)
}

/** The catalogue in Redis, kept for some seconds; renewed beside whoever asks, not before them. */
export class CachedCatalogue {
  readonly #broker: Broker
  readonly #clock: Clock
  #kept: PublishedCatalogue | undefined
  #keptAt = 0
  #reading: Promise<PublishedCatalogue> | undefined

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /** As it is known here; waits for Redis the first time only. */
  async read(): Promise<PublishedCatalogue> {
    if (this.#kept === undefined) return await this.#renew()
    // Whoever asks next hears of a failure, if it lasts.
    if (this.#age() > freshFor) void this.#renew().catch(() => undefined)
    return this.#kept
  }

  /** As it was read some seconds ago at most; undefined where it must be read. */
  fresh(): PublishedCatalogue | undefined {
    return this.#age() > freshFor ? undefined : this.#kept
  }

  /** As Redis has it now, or had it a second ago. */
  async readAnew(): Promise<PublishedCatalogue> {
    if (this.#kept !== undefined && this.#age() < leastBetween) return this.#kept
    return await this.#renew()
  }

  #age(): number {
    return this.#clock.monotonic() - this.#keptAt
  }

  #renew(): Promise<PublishedCatalogue> {
    this.#reading ??= this.#fetch().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #fetch(): Promise<PublishedCatalogue> {
    const catalogue = await this.#broker.catalogue()
    this.#kept = catalogue
    this.#keptAt = this.#clock.monotonic()
    return catalogue
  }
}
