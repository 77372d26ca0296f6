import type { Checked, Directory, DirectoryEntry } from '../../src/client/contract.js'
import type { Broker, Enqueued, NewTask, Partition } from '../../src/core/broker.js'
import type { Clock } from '../../src/core/clock.js'
import { systemClock } from '../../src/core/clock.js'
import { RedisDistroError } from '../../src/core/errors.js'

/** A broker of the given parts; what is asked of it besides fails the test. */
export function brokerOf(parts: Partial<Broker>): Broker {
  return new Proxy(parts, {
    get(target, name) {
      const part = Reflect.get(target, name)
      if (part === undefined) throw new Error(`the broker is not to be asked for ${String(name)}`)
      return part
    },
  }) as Broker
}

export interface SeenCall {
  readonly partition: Partition
  readonly tasks: readonly NewTask[]
  readonly repeat: boolean
}

export const accepted = (tasks: readonly NewTask[]): Enqueued[] =>
  tasks.map(({ id }) => ({ id, state: 'waiting', duplicate: false, differs: false }))

/** A broker that takes all, after what `before` throws or waits for; and what it was called with. */
export function recordingBroker(
  before: (call: number) => Promise<void> | void = () => undefined,
  answer: (tasks: readonly NewTask[], repeat: boolean) => Enqueued[] = accepted,
): { broker: Broker; calls: SeenCall[] } {
  const calls: SeenCall[] = []
  const broker = brokerOf({
    now: async () => systemClock.now(),
    find: async (_, ids) => ids.map(() => undefined),
    remembered: async (_, ids) => ids.map(() => undefined),
    confirm: async () => undefined,
    enqueue: async (partition, tasks, repeat) => {
      const number = calls.push({ partition, tasks, repeat })
      await before(number)
      return answer(tasks, repeat)
    },
  })
  return { broker, calls }
}

export const away = () => new RedisDistroError('store_away', 'Redis is away')
export const unanswered = () => new RedisDistroError('store_unknown', 'Redis did not answer')
export const full = () => new RedisDistroError('store_full', 'Redis is full')

export function entry(parts: Partial<DirectoryEntry> = {}): DirectoryEntry {
  return {
    type: 'noop',
    queue: 'default',
    partitions: 1,
    deadLetter: 'dead',
    tz: 'UTC',
    fields: new Set(),
    schema: {},
    check: (): Checked => ({ ok: true }),
    ...parts,
  }
}

/** A directory of these types; `default` and their queues are known. */
export function directoryOf(...entries: DirectoryEntry[]): Directory {
  const queues = new Map(entries.map(({ queue, partitions }) => [queue, partitions]))
  return {
    type: async (name) => entries.find(({ type }) => type === name),
    published: async (name) => entries.some(({ type }) => type === name),
    known: (name) => entries.find(({ type }) => type === name),
    typeNames: async () => entries.map(({ type }) => type),
    queues: async () =>
      [...queues].map(([queue, partitions]) => ({ queue, partitions, former: [] })),
    former: async () => [],
    realName: (queue) => queue,
  }
}

export const clock: Clock = systemClock
