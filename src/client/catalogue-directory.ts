import type { Broker, Catalogue, CatalogueType } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { CachedCatalogue, formerIn } from './cached-catalogue.js'
import type { Directory, DirectoryEntry } from './contract.js'
import { checkByJsonSchema, fieldsOf } from './payload-schema.js'

export interface CatalogueDirectoryOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** The real name that a queue's name means. */
  realName(queue: string): string
}

function entryOf(published: CatalogueType): DirectoryEntry {
  const { type, queue, partitions, deadLetter, tz, schema } = published
  const fields = fieldsOf(schema)
  return {
    type,
    queue,
    partitions,
    deadLetter,
    tz,
    schema,
    fields,
    check: checkByJsonSchema(schema),
  }
}

/** Entries by their type; one whose text did not change keeps its compiled check. */
class Entries {
  readonly #made = new Map<string, { text: string; entry: DirectoryEntry }>()
  #catalogue: Catalogue | undefined
  #published = new Map<string, CatalogueType>()

  find(catalogue: Catalogue, name: string): DirectoryEntry | undefined {
    if (this.#catalogue !== catalogue) this.#take(catalogue)
    const published = this.#published.get(name)
    return published && this.#made.get(name)?.entry
  }

  #take(catalogue: Catalogue): void {
    this.#catalogue = catalogue
    this.#published = new Map(catalogue.types.map((type) => [type.type, type]))
    for (const name of this.#made.keys()) if (!this.#published.has(name)) this.#made.delete(name)
    for (const [name, published] of this.#published) {
      const text = JSON.stringify(published)
      if (this.#made.get(name)?.text === text) continue
      this.#made.set(name, { text, entry: entryOf(published) })
    }
  }
}

/**
 * Types and queues as kernels publish them in Redis, for clients that have no config. What is not
 * known is looked up anew before it is refused, at most once a second.
 */
export function catalogueDirectory({
  broker,
  clock,
  realName,
}: CatalogueDirectoryOptions): Directory {
  const catalogue = new CachedCatalogue(broker, clock)
  const entries = new Entries()
  const find = async (name: string) =>
    entries.find(await catalogue.read(), name) ?? entries.find(await catalogue.readAnew(), name)
  return {
    type: find,
    published: async (name) => (await find(name)) !== undefined,
    known(name) {
      const kept = catalogue.fresh()
      return kept && entries.find(kept, name)
    },
    typeNames: async () => (await catalogue.read()).types.map(({ type }) => type),
    async queues() {
      const read = await catalogue.read()
      return read.queues.map((queue) => ({ ...queue, former: formerIn(read, queue) }))
    },
    async former(queue) {
      const read = await catalogue.read()
      const found = read.queues.find((each) => each.queue === queue)
      return found === undefined ? [] : formerIn(read, found)
    },
    realName,
  }
}
