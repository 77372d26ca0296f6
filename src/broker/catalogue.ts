import type {
  Catalogue,
  CatalogueQueue,
  CatalogueType,
  Layout,
  PublishedCatalogue,
} from '../core/broker.js'
import type { Engine } from './arguments.js'
import { readJson } from './stored-record.js'
import { readAt } from './wrong-type.js'

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

/** The number of partitions that a config may say at most. */
const mostPartitions = 1024

const isText = (value: unknown): boolean => typeof value === 'string'
const isPartitions = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostPartitions

function isQueue(value: unknown): value is CatalogueQueue {
  if (typeof value !== 'object' || value === null) return false
  const { queue, partitions } = value as Record<string, unknown>
  return isText(queue) && isPartitions(partitions)
}

function isType(value: unknown): value is CatalogueType {
  if (!isQueue(value)) return false
  const { type, deadLetter, tz } = value as unknown as Record<string, unknown>
  return isText(type) && isText(deadLetter) && isText(tz)
}

/** What kernels have published; an entry that cannot be read is none. */
export async function readCatalogue(engine: Engine): Promise<PublishedCatalogue> {
  const { store, prefix } = engine
  const types = await readAt(typesKey(prefix), store.readHash(typesKey(prefix)))
  const queues = await readAt(queuesKey(prefix), store.readHash(queuesKey(prefix)))
  return {
    types: Object.values(types).map(readJson).filter(isType),
    queues: Object.values(queues).map(readJson).filter(isQueue),
    layouts: await readLayouts(engine),
  }
}

/** Every number of partitions that a queue has, or had and is not forgotten. */
export async function readLayouts({ store, prefix }: Engine): Promise<Layout[]> {
  const fields = await readAt(layoutsKey(prefix), store.readHash(layoutsKey(prefix)))
  return Object.entries(fields)
    .map(([field, publishedAt]) => layoutOf(field, publishedAt))
    .filter(({ publishedAt, partitions }) => publishedAt > 0 && isPartitions(partitions))
}

/** Forgets a layout until a kernel publishes it again. */
export async function forgetLayout({ store, prefix }: Engine, layout: Layout): Promise<void> {
  await store.writeHash(layoutsKey(prefix), { [fieldOf(layout)]: '0' })
}
