import type { Broker, Catalogue, PublishedCatalogue } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import type { ResolvedTask, TaskRegistry } from '../core/registry.js'
import { CachedCatalogue, formerIn } from './cached-catalogue.js'
import type { Directory, DirectoryEntry } from './contract.js'
import { checkBy, fieldsOf, jsonSchemaOf } from './payload-schema.js'

export interface RegistryDirectoryOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly tasks: TaskRegistry
  /** Real names of the config's queues, with their number of partitions. */
  readonly queues: ReadonlyMap<string, number>
  /** The config's zone for text times. */
  readonly tz: string
  /** The real name that a queue's name means. */
  realName(queue: string): string
}

function entryOf(
  type: string,
  task: ResolvedTask,
  { queues, tz }: RegistryDirectoryOptions,
): DirectoryEntry {
  const { definition } = task
  return {
    type,
    queue: task.queue,
    partitions: queues.get(task.queue) ?? 1,
    deadLetter: task.deadLetter,
    tz,
    attempts: task.retry.attempts,
    get fields() {
      return fieldsOf(jsonSchemaOf(definition))
    },
    get schema() {
      return jsonSchemaOf(definition)
    },
    check: checkBy(definition.payload),
  }
}

/** Types as the config resolved them; queues also as other kernels published theirs. */
export function registryDirectory(options: RegistryDirectoryOptions): Directory {
  const { broker, clock, tasks, queues } = options
  const entries = new Map([...tasks].map(([type, task]) => [type, entryOf(type, task, options)]))
  const catalogue = new CachedCatalogue(broker, clock)
  const own = [...queues].map(([queue, partitions]) => ({ queue, partitions }))
  return {
    type: async (name) => entries.get(name),
    async published(name) {
      if (entries.has(name)) return true
      const has = ({ types }: PublishedCatalogue) => types.some(({ type }) => type === name)
      return has(await catalogue.read()) || has(await catalogue.readAnew())
    },
    known: (name) => entries.get(name),
    typeNames: async () => [...entries.keys()],
    async queues() {
      const published = await catalogue.read().catch(() => unpublished)
      const others = published.queues.filter(({ queue }) => !queues.has(queue))
      return [...own, ...others].map((each) => ({ ...each, former: formerIn(published, each) }))
    },
    async former(queue) {
      const partitions = queues.get(queue)
      if (partitions === undefined) return []
      return formerIn(await catalogue.read(), { queue, partitions })
    },
    realName: (queue) => options.realName(queue),
  }
}

/** Queues of the config are there even when Redis is not. */
const unpublished: PublishedCatalogue = { types: [], queues: [], layouts: [] }

/** What a kernel publishes of its types and queues, for clients that have no config. */
export function catalogueOf({
  tasks,
  queues,
  tz,
}: Pick<RegistryDirectoryOptions, 'tasks' | 'queues' | 'tz'>): Catalogue {
  return {
    types: [...tasks].map(([type, { definition, queue, deadLetter }]) => ({
      type,
      queue,
      partitions: queues.get(queue) ?? 1,
      deadLetter,
      tz,
      schema: jsonSchemaOf(definition),
    })),
    queues: [...queues].map(([queue, partitions]) => ({ queue, partitions })),
  }
}
