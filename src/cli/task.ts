import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MoveResult, Page, TaskFilter } from '../client/contract.js'
import { states, transitions } from '../core/state.js'
import type { Task } from '../core/task.js'
import { failure } from './failure.js'
import { type Globals, optionsOf, wholeNumber } from './globals.js'
import { readJsonArgument } from './json-argument.js'
import { printResult, remark } from './output.js'
import { withKernel } from './project.js'
import { taskSheet, taskTable } from './task-words.js'

type ListOptions = Globals & Omit<TaskFilter, 'limit'> & { readonly limit?: number }
type OneOptions = Globals & { readonly queue?: string }

const limit = wholeNumber(1, 1000, (message) => new InvalidArgumentError(message))

/** Prints a page of tasks; how to go on from it is told on stderr. */
export async function printPage(page: Page<Task>, globals: Globals): Promise<void> {
  const { items, cursor } = page
  await printResult(
    { items, cursor: cursor ?? null },
    {
      json: globals.json === true,
      words: () => (items.length === 0 ? 'no tasks' : taskTable(items)),
    },
  )
  if (cursor !== undefined && !globals.json) remark(`There are more: --cursor ${cursor}`)
}

async function listTasks(options: ListOptions): Promise<void> {
  const { state, type, queue, tag, cursor, limit } = options
  const filter = { state, type, queue, tag, cursor, limit }
  await printPage(await withKernel(options, ({ operator }) => operator.tasks(filter)), options)
}

const unknownTask = (id: string) =>
  failure('unknown_task', `no task '${id}' exists; it may be past its retention`)

async function showTask(id: string, options: OneOptions): Promise<void> {
  const task = await withKernel(options, ({ operator }) => operator.task(id, options.queue))
  if (task === undefined) throw unknownTask(id)
  await printResult(task, { json: options.json === true, words: () => taskSheet(task) })
}

const moves = {
  cancel: {
    done: 'cancelled',
    leads: 'cancelled',
    says: 'call a task off; a running handler is told',
  },
  requeue: { done: 'requeued', leads: 'waiting', says: 'send a dead or cancelled task again' },
  promote: {
    done: 'promoted',
    leads: 'waiting',
    says: 'let a scheduled or retryable task run now',
  },
} as const

type Move = keyof typeof moves

const editedFrom = [...transitions.promote.from, ...transitions.requeue.from]

function refusal(move: Move | 'edit', id: string, result: MoveResult & { ok: false }): Error {
  if (result.reason === 'unknown_task') return unknownTask(id)
  if (result.reason === 'unique_held') {
    const words = `task '${id}' stays ${result.state}: task '${result.holder}' holds its unique key`
    return failure('unique_held', words)
  }
  const [from, done] =
    move === 'edit' ? [editedFrom, 'edited'] : [transitions[move].from, moves[move].done]
  const rule = `only one that is ${from.join(', ')} can be ${done}`
  return failure('wrong_state', `task '${id}' is ${result.state}; ${rule}`)
}

async function moveTask(move: Move, id: string, options: OneOptions): Promise<void> {
  const result = await withKernel(options, ({ operator }) => operator[move](id, options.queue))
  if (!result.ok) throw refusal(move, id, result)
  const told = move === 'cancel' && result.from === 'active' ? '; its handler is being told' : ''
  await printResult(result.task ?? { id, state: moves[move].leads }, {
    json: options.json === true,
    words: () => `${id} ${moves[move].done}, was ${result.from}${told}`,
  })
}

async function editTask(
  id: string,
  argument: string | undefined,
  options: OneOptions & { readonly run?: boolean },
  command: Command,
): Promise<void> {
  if (argument === undefined && process.stdin.isTTY) {
    command.error('error: the new payload is wanted: JSON, @FILE, or - for stdin')
  }
  const payload = await readJsonArgument(argument ?? '-', 'payload', command)
  const { queue, run } = options
  const result = await withKernel(options, ({ operator }) =>
    operator.edit(id, payload, { queue, run }),
  )
  if (!result.ok) throw refusal('edit', id, result)
  const state = run ? 'waiting' : result.from
  await printResult(result.task ?? { id, state }, {
    json: options.json === true,
    words: () => `${id} edited, ${run ? `was ${result.from} and is waiting` : `is ${state}`}`,
  })
}

/** `task list|show|cancel|requeue|promote|edit` */
export function addTask(program: Command): void {
  const task = program.command('task').description('look at tasks and move them')
  task
    .command('list')
    .description('list tasks')
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--type <type>', 'only those of this type')
    .option('--queue <queue>', 'only those of this queue')
    .option('--tag <tag>', 'only those with this tag')
    .option('--limit <number>', 'at most so many, 1 to 1000 (50)', limit)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action((_, command: Command) => listTasks(optionsOf(command)))
  task
    .command('show')
    .description('show one task with its attempts')
    .argument('<id>', 'the id of the task')
    .option('--queue <queue>', 'the queue to look in, where ids repeat over queues')
    .action((id: string, _, command: Command) => showTask(id, optionsOf(command)))
  for (const move of ['cancel', 'requeue', 'promote'] as const) {
    task
      .command(move)
      .description(moves[move].says)
      .argument('<id>', 'the id of the task')
      .option('--queue <queue>', 'the queue it is in, where ids repeat over queues')
      .action((id: string, _, command: Command) => moveTask(move, id, optionsOf(command)))
  }
  task
    .command('edit')
    .description('give a scheduled, retryable, dead or cancelled task another payload')
    .argument('<id>', 'the id of the task')
    .argument(
      '[payload]',
      'JSON, @FILE that holds it, or - for stdin, which is read where it is left out',
    )
    .option('--run', 'let it run now too')
    .option('--queue <queue>', 'the queue it is in, where ids repeat over queues')
    .action((id: string, payload: string | undefined, _, command: Command) =>
      editTask(id, payload, optionsOf(command), command),
    )
}
