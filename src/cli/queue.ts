import type { Command } from 'commander'
import type { QueueStatus } from '../client/contract.js'
import { formatDuration } from '../core/duration.js'
import { type LimitsChange, limitsWords } from '../core/limits.js'
import { type State, states } from '../core/state.js'
import { failure } from './failure.js'
import { type Globals, optionsOf } from './globals.js'
import { type Column, pairs, printResult, table } from './output.js'
import { withKernel } from './project.js'

const age = (ms: number | null): string => (ms === null ? '-' : formatDuration(ms))
const rate = (perSecond: number): string => `${Number(perSecond.toFixed(2))}/s`

// On a narrow terminal, what has ended well is missed least.
const spareStates: Partial<Record<State, { readonly spare: number }>> = {
  cancelled: { spare: 2 },
  completed: { spare: 1 },
}

const columns: readonly Column<QueueStatus>[] = [
  { head: 'QUEUE', cell: ({ name }) => name, flexible: true },
  ...states.map((state) => ({
    head: state.toUpperCase(),
    cell: ({ depth }: QueueStatus) => depth[state],
    align: 'right' as const,
    ...spareStates[state],
  })),
  {
    head: 'OLDEST',
    cell: ({ oldestWaitingAge }) => age(oldestWaitingAge),
    align: 'right',
    spare: 3,
  },
  { head: 'DONE', cell: ({ throughput }) => rate(throughput.completed), align: 'right', spare: 4 },
  { head: 'WORKERS', cell: ({ workers }) => workers, align: 'right' },
  {
    head: 'PAUSED',
    cell: ({ paused }) => (paused ? 'paused' : 'no'),
    style: ({ paused }) => (paused ? 'yellow' : undefined),
  },
]

/** Queues, one a line. */
export const queueTable = (queues: readonly QueueStatus[]): Promise<string> =>
  table(columns, queues)

const limitsSheet = ({ limits: { config, ...limits } }: QueueStatus): string =>
  limitsWords(limits) + (config ? ` (set at run time; the config says ${limitsWords(config)})` : '')

const queueSheet = (queue: QueueStatus): string =>
  pairs([
    ['queue', queue.name],
    ['paused', queue.paused ? 'yes' : 'no'],
    ['partitions', queue.partitions],
    ['workers', queue.workers],
    ['limits', limitsSheet(queue)],
    ...states.map((state) => [state, queue.depth[state]] as const),
    ['oldest waiting', age(queue.oldestWaitingAge)],
    ['enqueued', rate(queue.throughput.enqueued)],
    ['completed', rate(queue.throughput.completed)],
    ['failed', rate(queue.throughput.failed)],
  ])

async function listQueues(globals: Globals): Promise<void> {
  const items = await withKernel(globals, ({ operator }) => operator.queues())
  const words = () => queueTable(items)
  await printResult({ items, cursor: null }, { json: globals.json === true, words })
}

const verbs = {
  show: { call: 'queue', says: 'show one queue' },
  pause: { call: 'pause', says: 'let workers take no more tasks of a queue' },
  resume: { call: 'resume', says: 'let workers take tasks of a queue again' },
} as const

async function actOnQueue(verb: keyof typeof verbs, name: string, globals: Globals): Promise<void> {
  const queue = await withKernel(globals, ({ operator }) => operator[verbs[verb].call](name))
  const words = () => (verb === 'show' ? queueSheet(queue) : `queue '${queue.name}' is ${verb}d`)
  await printResult(queue, { json: globals.json === true, words })
}

interface LimitOptions extends Globals {
  readonly rate?: string
  readonly maxActive?: string
}

/** 'none' takes a limit away. */
const limitOf = <Value>(text: string | undefined, read: (text: string) => Value) =>
  text === undefined ? undefined : text === 'none' ? null : read(text)

async function limitQueue(name: string, options: LimitOptions): Promise<void> {
  const change: LimitsChange = {
    rate: limitOf(options.rate, String),
    maxActive: limitOf(options.maxActive, Number),
  }
  if (change.rate === undefined && change.maxActive === undefined) {
    throw failure('bad_option', 'say which limit: --rate 14/s or none, --max-active 5 or none')
  }
  const queue = await withKernel(options, ({ operator }) => operator.limit(name, change))
  const words = () => `queue '${queue.name}' has limits: ${limitsWords(queue.limits)}`
  await printResult(queue, { json: options.json === true, words })
}

/** `queue list|show|pause|resume|limit` */
export function addQueue(program: Command): void {
  const queue = program.command('queue').description('look at queues, pause, resume and limit them')
  queue
    .command('list')
    .description('list queues with their depth by state')
    .action((_, command: Command) => listQueues(optionsOf(command)))
  for (const verb of ['show', 'pause', 'resume'] as const) {
    queue
      .command(verb)
      .description(verbs[verb].says)
      .argument('<name>', 'the name of the queue')
      .action((name: string, _, command: Command) => actOnQueue(verb, name, optionsOf(command)))
  }
  queue
    .command('limit')
    .description('say how much of a queue may run, over all processes')
    .argument('<name>', 'the name of the queue')
    .option('--rate <rate>', 'starts at most: 14/s, 100/m, 1000/h, 5/10s, or none')
    .option('--max-active <number>', 'tasks that are active at most, or none')
    .action((name: string, _, command: Command) => limitQueue(name, optionsOf(command)))
}
