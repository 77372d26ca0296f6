import { type Command, InvalidArgumentError } from 'commander'
import type { Schedule } from '../client/schedules.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Kernel } from '../kernel/kernel.js'
import { type Globals, optionsOf, wholeNumber } from './globals.js'
import { readJsonArgument } from './json-argument.js'
import { type Column, pairs, printResult, remark, table } from './output.js'
import { withKernel } from './project.js'

type ListOptions = Globals & { readonly cursor?: string; readonly limit?: number }
type PreviewOptions = Globals & { readonly number?: number }

const number = wholeNumber(1, 1000, (message) => new InvalidArgumentError(message))

const rhythm = ({ cron, every }: Schedule): string => cron ?? `every ${every}`

/** Where it came from, with what a person changed of it since. */
const originOf = ({ source, differs }: Schedule): string =>
  differs === undefined ? source : `${source}, edited: ${differs.join(', ')}`

const columns: readonly Column<Schedule>[] = [
  { head: 'SCHEDULE', cell: ({ id }) => id, flexible: true },
  { head: 'TASK', cell: ({ task }) => task, flexible: true },
  { head: 'WHEN', cell: rhythm, flexible: true },
  { head: 'ZONE', cell: ({ tz }) => tz, spare: 2 },
  {
    head: 'STATE',
    cell: ({ state }) => state,
    style: ({ state }) => (state === 'active' ? undefined : 'yellow'),
  },
  { head: 'NEXT', cell: ({ nextRunAt }) => nextRunAt },
  { head: 'LAST', cell: ({ lastRunAt }) => lastRunAt, spare: 1 },
  { head: 'RUNS', cell: ({ runs }) => runs, align: 'right', spare: 3 },
  { head: 'FROM', cell: originOf, flexible: true, spare: 4 },
]

type Run = NonNullable<Schedule['history']>[number]

const runColumns: readonly Column<Run>[] = [
  { head: 'TICK', cell: ({ tick }) => tick },
  {
    head: 'OUTCOME',
    cell: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'refused' ? 'red' : undefined),
  },
  {
    head: 'WHY',
    cell: ({ reason, count }) => (count === undefined ? reason : `${reason} (${count} ticks)`),
    flexible: true,
  },
  { head: 'TASK', cell: ({ taskId }) => taskId, flexible: true },
  { head: 'AT', cell: ({ at }) => at, spare: 1 },
]

async function sheet(schedule: Schedule): Promise<string> {
  const { history = [] } = schedule
  const lines = pairs([
    ['schedule', schedule.id],
    ['task', schedule.task],
    ['payload', JSON.stringify(schedule.payload)],
    ['when', `${rhythm(schedule)} (${schedule.tz})`],
    ['starts at', schedule.startsAt],
    ['ends at', schedule.endsAt],
    ['limit', schedule.limit],
    ['jitter', schedule.jitter],
    ['overlap', schedule.overlap],
    ['misfire', schedule.misfire],
    ['options', schedule.options && JSON.stringify(schedule.options)],
    ['state', schedule.state],
    ['from', originOf(schedule)],
    ['next', schedule.nextRunAt],
    ['last', schedule.lastRunAt],
    ['runs', schedule.runs],
  ])
  return history.length === 0 ? lines : `${lines}\n\n${await table(runColumns, history)}`
}

async function list(options: ListOptions): Promise<void> {
  const { limit, json } = options
  const filter = { limit, cursor: options.cursor }
  const { items, cursor } = await withKernel(options, ({ schedules }) => schedules.list(filter))
  const words = () => (items.length === 0 ? 'no schedules' : table(columns, items))
  await printResult({ items, cursor: cursor ?? null }, { json: json === true, words })
  if (cursor !== undefined && !json) remark(`There are more: --cursor ${cursor}`)
}

async function show(id: string, globals: Globals): Promise<void> {
  const schedule = await withKernel(globals, ({ schedules }) => schedules.get(id))
  await printResult(schedule, { json: globals.json === true, words: () => sheet(schedule) })
}

async function run(id: string, globals: Globals): Promise<void> {
  const made = await withKernel(globals, ({ schedules }) => schedules.run(id))
  const words = () => `${made.taskId} enqueued`
  await printResult(made, { json: globals.json === true, words })
}

async function setPaused(verb: 'pause' | 'resume', id: string, globals: Globals): Promise<void> {
  const schedule = await withKernel(globals, ({ schedules }) => schedules[verb](id))
  const next = schedule.nextRunAt === undefined ? '' : `, next at ${schedule.nextRunAt}`
  const words = () => `schedule '${id}' is ${verb}d${next}`
  await printResult(schedule, { json: globals.json === true, words })
}

async function put(id: string, argument: string, command: Command): Promise<void> {
  const options = optionsOf(command)
  const rule = await readJsonArgument(argument, 'rule', command)
  const made = await withKernel(options, ({ schedules }) => schedules.put(id, rule))
  const { created, schedule } = made
  const next = schedule.nextRunAt === undefined ? '' : `, next at ${schedule.nextRunAt}`
  const words = () =>
    `schedule '${id}' ${created ? 'added' : 'replaced'} (${schedule.state}${next})`
  await printResult(made, { json: options.json === true, words })
}

async function remove(id: string, globals: Globals): Promise<void> {
  await withKernel(globals, ({ schedules }) => schedules.remove(id))
  const words = () => `schedule '${id}' is removed`
  await printResult({ id, removed: true }, { json: globals.json === true, words })
}

/** The times of a schedule that is kept; of one that the config has and no kernel has kept yet. */
async function timesOf({ schedules, config }: Kernel, id: string, n: number | undefined) {
  try {
    return await schedules.preview(id, n)
  } catch (error) {
    const rule = config.schedules.get(id)
    const unknown = isRedisDistroError(error) && error.code === 'unknown_schedule'
    if (rule === undefined || !unknown) throw error
    return await schedules.previewRule(rule, n)
  }
}

const isRule = (argument: string): boolean => /^(\{|@|-$)/.test(argument)

async function preview(argument: string, command: Command): Promise<void> {
  const options = optionsOf<PreviewOptions>(command)
  const rule = isRule(argument) ? await readJsonArgument(argument, 'rule', command) : undefined
  const times = await withKernel(options, (kernel) =>
    rule === undefined
      ? timesOf(kernel, argument, options.number)
      : kernel.schedules.previewRule(rule, options.number),
  )
  const words = () => times.items.join('\n') || 'it does not come again'
  await printResult(times, { json: options.json === true, words })
}

/** `schedule list|show|run|pause|resume|preview|put|remove` */
export function addSchedule(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('look at schedules, change them, and run them now')
  const one = (name: string, says: string) =>
    schedule.command(name).description(says).argument('<id>', 'the id of the schedule')
  schedule
    .command('list')
    .description('list schedules with their next times')
    .option('--limit <number>', 'at most so many, 1 to 1000 (50)', number)
    .option('--cursor <cursor>', 'go on where a list ended')
    .action((_, command: Command) => list(optionsOf(command)))
  one('show', 'show one schedule with its last runs').action((id: string, _, command: Command) =>
    show(id, optionsOf(command)),
  )
  one('run', 'enqueue its task now; this is no tick').action((id: string, _, command: Command) =>
    run(id, optionsOf(command)),
  )
  for (const verb of ['pause', 'resume'] as const) {
    const says =
      verb === 'pause' ? 'enqueue nothing until it is resumed' : 'go on from the next tick'
    one(verb, says).action((id: string, _, command: Command) =>
      setPaused(verb, id, optionsOf(command)),
    )
  }
  schedule
    .command('preview')
    .description('print its next times')
    .argument('<id>', 'the id of the schedule; or a rule as JSON, @FILE that holds it, or -')
    .option('-n, --number <number>', 'so many, 1 to 1000 (10)', number)
    .action((id: string, _, command: Command) => preview(id, command))
  one('put', 'add a schedule, or replace it')
    .argument('<rule>', 'JSON, @FILE that holds it, or - for stdin')
    .action((id: string, rule: string, _, command: Command) => put(id, rule, command))
  one('remove', 'remove a schedule; tasks that it enqueued stay').action(
    (id: string, _, command: Command) => remove(id, optionsOf(command)),
  )
}
