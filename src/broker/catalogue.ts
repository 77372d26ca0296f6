import type {
  Catalogue,
  CatalogueQueue,
  CatalogueType,
  Layout,
  PublishedCatalogue,
} from '../core/broker.js'
import type { Engine } from './arguments.js'

/** Of what a kernel publishes, `<prefix>:<name>`: hash type → JSON, queue → JSON, and the layouts. */
const typesKey = (prefix: string) => `${prefix}:types`
const queuesKey = (prefix: string) => `${prefix}:queues`
/** hash `<partitions> <queue>` → ms when it was last published; 0 where it was forgotten */
const layoutsKey = (prefix: string) => `${prefix}:layouts`

const fieldOf = ({ queue, partitions }: CatalogueQueue) => `${partitions} ${queue}`

function layoutOf(field: string, publishedAt: string): Layout {
  const gap = field.indexOf(' ')
  return {
    queue: field.slice(gap + 1),
    partitions: Number(field.slice(0, gap)),
    publishedAt: Number(publishedAt),
  }
}

/** Publishes types and queues; others' stay, since their kernels may know what this one does not. */
export async function publishCatalogue(engine: Engine, catalogue: Catalogue): Promise<void> {
  const { store, prefix } = engine
  const now = String(engine.now() || (await store.time()))
  const types = catalogue.types.map((entry) => [entry.type, JSON.stringify(entry)])
  const queues = catalogue.queues.map((entry) => [entry.queue, JSON.stringify(entry)])
  const layouts = catalogue.queues.map((entry) => [fieldOf(entry), now])
  // Layouts first: who reads a new number of partitions must find the one before it.
  await store.writeHash(layoutsKey(prefix), Object.fromEntries(layouts))
  await store.writeHash(typesKey(prefix), Object.fromEntries(types))
  await store.writeHash(queuesKey(prefix), Object.fromEntries(queues))
}

/** What kernels have published. */
export async function readCatalogue(engine: Engine): Promise<PublishedCatalogue> {
  const { store, prefix } = engine
  const types = await store.readHash(typesKey(prefix))
  const queues = await store.readHash(queuesKey(prefix))
  return {
    types: Object.values(types).map((text) => JSON.parse(text) as CatalogueType),
    queues: Object.values(queues).map((text) => JSON.parse(text) as CatalogueQueue),
    layouts: await readLayouts(engine),
  }
}

/** Every number of partitions that a queue has, or had and is not forgotten. */
export async function readLayouts({ store, prefix }: Engine): Promise<Layout[]> {
  const fields = await store.readHash(layoutsKey(prefix))
  return Object.entries(fields)
    .map(([field, publishedAt]) => layoutOf(field, publishedAt))
    .filter(({ publishedAt }) => publishedAt > 0)
}

/** Forgets a layout until a kernel publishes it again. */
export async function forgetLayout({ store, prefix }: Engine, layout: Layout): Promise<void> {
  await store.writeHash(layoutsKey(prefix), { [fieldOf(layout)]: '0' })
}
