import { type Command, InvalidArgumentError } from 'commander'
import type { PurgePreview } from '../client/bulk-contract.js'
import type { DeadLetterFilter } from '../client/contract.js'
import { durationMessage, parseDuration } from '../core/duration.js'
import { parseRate, rateMessage } from '../core/rate.js'
import { type Globals, optionsOf, wholeNumber } from './globals.js'
import { watchJob } from './job.js'
import { pairs, printResult, progressLine, remark, table } from './output.js'
import { withKernel } from './project.js'
import { printPage } from './task.js'

type FilterOptions = Globals & DeadLetterFilter
type ShowOptions = FilterOptions & { readonly cursor?: string; readonly limit?: number }
type RequeueOptions = FilterOptions & { readonly rate?: string; readonly detach?: boolean }
type PurgeOptions = FilterOptions & { readonly yes?: boolean; readonly dryRun?: boolean }

const limit = wholeNumber(1, 1000, (message) => new InvalidArgumentError(message))

function age(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError(`It is no age: ${durationMessage(text)}.`)
  return ms
}

function rate(text: string): string {
  if (parseRate(text) === undefined) throw new InvalidArgumentError(`${rateMessage(text)}.`)
  return text
}

const filterOf = (options: FilterOptions): DeadLetterFilter => {
  const { type, queue, error, olderThan, newerThan } = options
  return { type, queue, error, olderThan, newerThan }
}

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

const letters = (count: number, key: string): string =>
  `${count} dead letter${count === 1 ? '' : 's'} of '${key}'`

async function requeueKey(key: string, options: RequeueOptions): Promise<void> {
  const filter = filterOf(options)
  const json = options.json === true
  if (options.rate !== undefined || options.detach) {
    return await withKernel(options, async ({ operator }) => {
      const job = await operator.startRequeue(key, filter, options.rate)
      if (!options.detach) return await watchJob(operator, job, { json })
      await printResult(job, {
        json,
        words: () => `job ${job.id} sends dead letters of '${key}' again`,
      })
    })
  }
  const line = progressLine((count) => `requeued ${count}`)
  const { requeued, skipped } = await withKernel(options, ({ operator }) =>
    operator.requeueDead(key, filter, line.show).finally(line.end),
  )
  const left = skipped ? `; ${skipped} skipped, since another task holds their unique key` : ''
  const words = () => `requeued ${letters(requeued, key)}${left}`
  await printResult({ requeued, skipped }, { json, words })
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

const previewSheet = (key: string, preview: PurgePreview): string =>
  pairs([
    ['would purge', letters(preview.wouldPurge, key)],
    ['oldest', preview.oldest ?? undefined],
    ['newest', preview.newest ?? undefined],
    ['some of them', preview.sample.join('\n').replaceAll('\n', `\n${' '.repeat(14)}`)],
  ])

async function purgeKey(key: string, options: PurgeOptions, command: Command): Promise<void> {
  const { yes = false, dryRun = false } = options
  const json = options.json === true
  if (!yes && !dryRun && !(process.stdin.isTTY && process.stderr.isTTY)) {
    command.error(
      'error: purging cannot be undone, and nobody can be asked here; add --yes or --dry-run',
    )
  }
  const filter = filterOf(options)
  await withKernel(options, async ({ operator }) => {
    if (!yes || dryRun) {
      const preview = await operator.previewPurge(key, filter)
      const words = () => previewSheet(key, preview)
      if (dryRun) return await printResult(preview, { json, words })
      remark(words())
      const asked = `Erase ${preview.wouldPurge === 1 ? 'it' : 'them'} for ever?`
      if (preview.wouldPurge > 0 && !(await confirmed(asked))) throw new Error('nothing was purged')
    }
    const line = progressLine((count) => `purged ${count}`)
    const purged = await operator.purgeDead(key, filter, line.show).finally(line.end)
    await printResult({ purged }, { json, words: () => `purged ${letters(purged, key)}` })
  })
}

const withFilter = (command: Command): Command =>
  command
    .argument('<key>', 'the dead-letter key')
    .option('--type <type>', 'only those of this task type')
    .option('--queue <queue>', 'only those of this queue')
    .option('--error <text>', "only those whose last error's message holds this, or has this code")
    .option('--older-than <duration>', 'only those dead for at least so long, such as 1h', age)
    .option('--newer-than <duration>', 'only those dead for at most so long', age)

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
  withFilter(dead.command('requeue').description('send dead letters again'))
    .option('--rate <rate>', 'so many at a time, such as 50/s: as a job that the kernels do', rate)
    .option('--detach', 'as a job, and do not wait for its end')
    .action((key: string, _, command: Command) => requeueKey(key, optionsOf(command)))
  withFilter(dead.command('purge').description('erase dead letters for ever'))
    .option('--dry-run', 'say what would be erased, and erase nothing')
    .option('--yes', 'do not ask; wanted where there is no terminal to ask on')
    .action((key: string, _, command: Command) => purgeKey(key, optionsOf(command), command))
}
