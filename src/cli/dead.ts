import { type Command, InvalidArgumentError } from 'commander'
import type { DeadLetterFilter, OperatorContract } from '../client/contract.js'
import { type Globals, optionsOf, wholeNumber } from './globals.js'
import { printResult, progressLine, table } from './output.js'
import { withKernel } from './project.js'
import { printPage } from './task.js'

type FilterOptions = Globals & DeadLetterFilter
type ShowOptions = FilterOptions & { readonly cursor?: string; readonly limit?: number }
type PurgeOptions = FilterOptions & { readonly yes?: boolean }

const limit = wholeNumber(1, 1000, (message) => new InvalidArgumentError(message))

const filterOf = ({ type, queue, error }: FilterOptions): DeadLetterFilter => ({
  type,
  queue,
  error,
})

async function listKeys(globals: Globals): Promise<void> {
  const items = await withKernel(globals, ({ operator }) => operator.deadLetters())
  await printResult(
    { items, cursor: null },
    {
      json: globals.json === true,
      words: () =>
        items.length === 0
          ? 'no dead letters'
          : table(
              [
                { head: 'KEY', cell: ({ key }) => key, flexible: true },
                { head: 'COUNT', cell: ({ count }) => count, align: 'right' },
              ],
              items,
            ),
    },
  )
}

async function showKey(key: string, options: ShowOptions): Promise<void> {
  const { cursor, limit } = options
  const filter = { ...filterOf(options), cursor, limit }
  const page = await withKernel(options, ({ operator }) => operator.deadLetter(key, filter))
  await printPage(page, options)
}

type Sweep = 'requeue' | 'purge'

async function sweep(
  operator: OperatorContract,
  verb: Sweep,
  key: string,
  { filter, show }: { readonly filter: DeadLetterFilter; show(done: number): void },
): Promise<{ readonly count: number; readonly skipped?: number }> {
  if (verb === 'purge') return { count: await operator.purgeDead(key, filter, show) }
  const { requeued, skipped } = await operator.requeueDead(key, filter, show)
  return { count: requeued, skipped }
}

async function sweepKey(verb: Sweep, key: string, options: FilterOptions): Promise<void> {
  const done = `${verb}d`
  const line = progressLine((count) => `${done} ${count}`)
  const { count, skipped } = await withKernel(options, ({ operator }) =>
    sweep(operator, verb, key, { filter: filterOf(options), show: line.show }).finally(line.end),
  )
  const left = skipped ? `; ${skipped} skipped, since another task holds their unique key` : ''
  const words = () => `${done} ${count} dead letter${count === 1 ? '' : 's'} of '${key}'${left}`
  const answer = { [done]: count, ...(skipped === undefined ? {} : { skipped }) }
  await printResult(answer, { json: options.json === true, words })
}

async function confirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())
  } finally {
    asking.close()
  }
}

async function purgeKey(key: string, options: PurgeOptions, command: Command): Promise<void> {
  // A script is not asked: where stdin is no terminal there is nobody to answer.
  if (options.yes !== true && process.stdin.isTTY) {
    if (!process.stderr.isTTY) {
      command.error(
        'error: purging cannot be undone, and the question would not be seen; add --yes',
      )
    }
    const which = Object.values(filterOf(options)).some((value) => value !== undefined)
      ? 'the dead letters that the filter finds'
      : 'all dead letters'
    if (!(await confirmed(`Erase ${which} under '${key}' for ever?`))) {
      throw new Error('nothing was purged')
    }
  }
  await sweepKey('purge', key, options)
}

const withFilter = (command: Command): Command =>
  command
    .argument('<key>', 'the dead-letter key')
    .option('--type <type>', 'only those of this task type')
    .option('--queue <queue>', 'only those of this queue')
    .option('--error <text>', "only those whose last error's message holds this, or has this code")

/** `dead list|show|requeue|purge` */
export function addDead(program: Command): void {
  const dead = program
    .command('dead')
    .description('look at dead letters, send them again or erase them')
  dead
    .command('list')
    .description('list dead-letter keys with their counts')
    .action((_, command: Command) => listKeys(optionsOf(command)))
  withFilter(dead.command('show').description('list the dead letters under a key'))
    .option('--limit <number>', 'at most so many, 1 to 1000 (50)', limit)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action((key: string, _, command: Command) => showKey(key, optionsOf(command)))
  withFilter(dead.command('requeue').description('send dead letters again')).action(
    (key: string, _, command: Command) => sweepKey('requeue', key, optionsOf(command)),
  )
  withFilter(dead.command('purge').description('erase dead letters for ever'))
    .option('--yes', 'do not ask, as nobody is asked where stdin is no terminal')
    .action((key: string, _, command: Command) => purgeKey(key, optionsOf(command), command))
}
