import { type Command, InvalidArgumentError, Option } from 'commander'
import { overlaid, partPayload } from '../client/beside.js'
import type { EnqueuedTask } from '../client/contract.js'
import { priorities } from '../core/task.js'
import { type Globals, optionsOf, wholeNumber } from './globals.js'
import { readJsonArgument } from './json-argument.js'
import { printResult } from './output.js'
import { withKernel } from './project.js'

const attempts = wholeNumber(1, 1000, (message) => new InvalidArgumentError(message))

const gather = (tag: string, tags: readonly string[] = []): string[] => [...tags, tag]

/** Every option of an enqueue by the name that the client gives it, as the command line takes it. */
const flags = {
  runAt: ['--run-at <time>', "when: ISO time, epoch ms, a duration, or text ('tomorrow 8am')"],
  delay: ['--delay <duration>', 'how long from now, such as 10m'],
  tz: ['--tz <zone>', 'IANA zone that text times are read in'],
  taskId: ['--task-id <id>', 'an id of your own; a repeat finds the first task'],
  idempotencyKey: ['--idempotency-key <key>', 'makes the id; a repeat finds the first task'],
  queue: ['--queue <queue>', "another queue than the task type's"],
  timeout: ['--timeout <duration>', 'abort a run that is longer'],
  expiresIn: ['--expires-in <duration>', 'give it up if it was not started by then'],
  uniqueKey: ['--unique-key <key>', 'make no second task of this key'],
  uniqueFor: ['--unique-for <duration>', 'how long the unique key holds (until the task ends)'],
} as const

type Named = { readonly [Name in keyof typeof flags]?: string }

interface EnqueueOptions extends Globals, Named {
  readonly priority?: string
  readonly attempts?: number
  readonly tag?: readonly string[]
}

/** What the flags say, under the client's names; what was not said is left out. */
function enqueueOptionsOf(options: EnqueueOptions): Record<string, unknown> {
  const names = Object.keys(flags) as (keyof typeof flags)[]
  const { priority, attempts, tag: tags } = options
  const named = names.map((name) => [name, options[name]] as const)
  const all = [...named, ['priority', priority], ['attempts', attempts], ['tags', tags]] as const
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}

function sentenceOf({ id, type, queue, state, runAt, tz, duplicate }: EnqueuedTask): string {
  if (duplicate) return `${id} was there already: ${type} in queue '${queue}' (${state})`
  const zone = tz === undefined ? '' : `, read in ${tz}`
  const due = runAt === undefined ? '' : `, due ${runAt}${zone}`
  return `${id} enqueued: ${type} in queue '${queue}' (${state}${due})`
}

async function enqueue(
  type: string,
  argument: string | undefined,
  command: Command,
): Promise<void> {
  const options = optionsOf<EnqueueOptions>(command)
  const given = argument === undefined ? {} : await readJsonArgument(argument, 'payload', command)
  const task = await withKernel(options, async ({ client }) => {
    const { fields } = await client.type(type)
    const { payload, options: beside } = partPayload(given, fields)
    return client.enqueue(type, payload, overlaid(beside, enqueueOptionsOf(options)))
  })
  const { id: taskId, ...rest } = task
  await printResult(
    { message: 'Task enqueued', taskId, ...rest },
    { json: options.json === true, words: () => sentenceOf(task) },
  )
}

/** `enqueue TYPE [JSON | @FILE | -]` */
export function addEnqueue(program: Command): void {
  const command = program
    .command('enqueue')
    .description('enqueue a task')
    .argument('<type>', 'the task type, such as email')
    .argument(
      '[payload]',
      'JSON, @FILE that holds it, or - for stdin (an empty object); runAt, delay and tz beside ' +
        "its fields are options, unless the type's schema has them",
    )
  for (const [flag, says] of Object.values(flags)) command.option(flag, says)
  command
    .addOption(new Option('--priority <level>', 'urgency in the queue').choices(priorities))
    .option('--attempts <number>', 'run it at most so often', attempts)
    .option('--tag <tag>', 'a word to find it by; may be repeated', gather)
    .action((type: string, payload: string | undefined, _, command: Command) =>
      enqueue(type, payload, command),
    )
}
