import { formerParts, partitionsOf } from '../../client/placement.js'
import type { Broker, Partition } from '../../core/broker.js'
import type { ResolvedConfig, ResolvedQueue } from '../resolved-config.js'
import { type Finding, finding, several } from './checks.js'

/** What lies in a queue, over its partitions. */
interface QueueFacts {
  readonly name: string
  readonly retention: ResolvedQueue['retention']
  /** Tasks that have not ended. */
  readonly unended: number
  readonly dead: number
  readonly workers: number
  readonly paused: boolean
}

/** Tasks that have not ended, under numbers of partitions that are former or of queues unknown here. */
export interface LeftFacts {
  readonly queue: string
  readonly left: number
  readonly known: boolean
}

type Queues = ResolvedConfig['queues']

async function countOver(broker: Broker, partitions: readonly Partition[]) {
  const counts = await Promise.all(partitions.map((partition) => broker.counts(partition)))
  const sum = (of: (count: (typeof counts)[number]) => number) =>
    counts.reduce((total, count) => total + of(count), 0)
  return {
    unended: sum(({ depth }) => depth.waiting + depth.scheduled + depth.retryable + depth.active),
    dead: sum(({ depth }) => depth.dead),
    workers: sum(({ workers }) => workers),
    paused: counts.some(({ paused }) => paused),
  }
}

/** Looks into every queue of the config. */
export async function lookIntoQueues(broker: Broker, queues: Queues): Promise<QueueFacts[]> {
  const found: QueueFacts[] = []
  for (const [name, { partitions, retention }] of queues) {
    found.push({ name, retention, ...(await countOver(broker, partitionsOf(name, partitions))) })
  }
  return found
}

/** Looks for tasks that the config's numbers of partitions and its queues do not reach. */
export async function lookForLeft(broker: Broker, queues: Queues): Promise<LeftFacts[]> {
  const { layouts } = await broker.catalogue()
  const found: LeftFacts[] = []
  for (const queue of new Set(layouts.map((layout) => layout.queue))) {
    const published = layouts.filter((layout) => layout.queue === queue)
    const numbers = published.map(({ partitions }) => partitions)
    const own = queues.get(queue)?.partitions
    const parts =
      own === undefined
        ? numbers.flatMap((number) => partitionsOf(queue, number))
        : formerParts({ queue, partitions: own, former: numbers })
    const { unended } = await countOver(broker, parts)
    if (unended > 0) found.push({ queue, left: unended, known: own !== undefined })
  }
  return found
}

/** Share of the dead letters' retention from which on they are told of. */
const nearlyFull = 0.9

function* remarksOn({ name, ...queue }: QueueFacts): Generator<Finding> {
  const { unended, workers, paused, dead, retention } = queue
  if (paused) {
    const found = `queue '${name}' is paused, with ${several(unended, 'task')} that have not ended`
    const todo = `redisdistro queue resume ${name}`
    yield finding('queues', 'note', { found, todo })
  }
  if (unended > 0 && workers === 0) {
    const found = `queue '${name}' has ${several(unended, 'task')} and no live worker`
    const todo = `start one: redisdistro start --worker --queues ${name}`
    yield finding('queues', 'warning', { found, todo })
  }
  if (retention.dead.count > 0 && dead >= retention.dead.count * nearlyFull) {
    const found = `queue '${name}' has ${several(dead, 'dead letter')}; beyond ${retention.dead.count} the oldest go`
    const todo = 'look at them (redisdistro dead list), requeue or purge them'
    yield finding('queues', 'warning', { found, todo })
  }
}

export function judgeQueues(queues: readonly QueueFacts[]): Finding[] {
  const remarks = queues.flatMap((queue) => [...remarksOn(queue)])
  if (remarks.length > 0) return remarks
  const sum = (of: (queue: QueueFacts) => number) =>
    queues.reduce((total, queue) => total + of(queue), 0)
  const found =
    `${several(queues.length, 'queue')}, ${several(
      sum(({ unended }) => unended),
      'task',
    )} that have ` +
    `not ended, ${several(
      sum(({ dead }) => dead),
      'dead letter',
    )}, ` +
    several(
      sum(({ workers }) => workers),
      'live worker',
    )
  return [finding('queues', 'ok', { found })]
}

export function judgeLeft(left: readonly LeftFacts[]): Finding[] {
  if (left.length === 0) {
    const found = "every task lies in the config's queues and their numbers of partitions"
    return [finding('partitions', 'ok', { found })]
  }
  return left.map(({ queue, left: count, known }) => {
    if (known) {
      const found = `queue '${queue}' has ${several(count, 'task')} under a former number of partitions`
      return finding('partitions', 'note', {
        found,
        todo: 'keep its workers running: they empty it',
      })
    }
    const found = `queue '${queue}', which is not in the config, has ${several(count, 'task')}`
    const todo = 'put it back under queues, or let a release that knows it run its workers'
    return finding('partitions', 'warning', { found, todo })
  })
}
