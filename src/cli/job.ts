import type { Command } from 'commander'
import type { Job } from '../client/bulk-contract.js'
import type { OperatorContract } from '../client/contract.js'
import { systemClock } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import { failure } from './failure.js'
import { type Globals, optionsOf } from './globals.js'
import { type Column, pairs, printResult, progressLine, remark, table } from './output.js'
import { withKernel } from './project.js'
import { shortTime } from './task-words.js'

/** Between two looks at a job that is watched, in ms. */
const lookEvery = 250
/** After which it is said that no kernel has taken it, in ms. */
const patience = 3000

const progressOf = ({ done, total, skipped }: Job): string =>
  `${done}${total === undefined ? '' : ` of ${total}`}${skipped > 0 ? `, ${skipped} skipped` : ''}`

const stateOf = ({ state, stopping, held }: Job): string => {
  if (stopping) return 'stopping'
  return state === 'running' && !held ? 'waits for a kernel' : state
}

const filterOf = ({ filter }: Job): string =>
  Object.entries(filter)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatDuration(value) : value}`)
    .join(', ')

const columns: readonly Column<Job>[] = [
  { head: 'ID', cell: ({ id }) => id },
  { head: 'KIND', cell: ({ kind }) => kind, spare: 3 },
  { head: 'KEY', cell: ({ key }) => key, flexible: true },
  { head: 'STATE', cell: stateOf },
  { head: 'DONE', cell: progressOf },
  { head: 'RATE', cell: ({ rate }) => rate, spare: 2 },
  { head: 'STARTED', cell: ({ startedAt }) => shortTime(startedAt), spare: 1 },
]

const jobSheet = (job: Job): string =>
  pairs([
    ['id', job.id],
    ['kind', job.kind],
    ['state', stateOf(job)],
    ['key', job.key],
    ['filter', filterOf(job)],
    ['rate', job.rate],
    ['done', progressOf(job)],
    ['started', job.startedAt],
    ['ended', job.endedAt],
    ['error', job.error],
  ])

const unknownJob = (id: string) =>
  failure('unknown_job', `no job '${id}' exists; the last hundred are kept`)

/** Looks at it again and again until it has ended, or the person who watches has had enough. */
async function watched(operator: OperatorContract, first: Job, leave: AbortSignal): Promise<Job> {
  let job = first
  let told = false
  const start = systemClock.monotonic()
  const line = progressLine(() => `requeued ${progressOf(job)}`)
  try {
    while (job.state === 'running' && !leave.aborted) {
      line.show(job.done)
      await new Promise((resolve) => setTimeout(resolve, lookEvery))
      const next = await operator.job(job.id)
      if (next === undefined) throw unknownJob(job.id)
      job = next
      if (job.held || told || systemClock.monotonic() - start < patience) continue
      told = true
      remark('No kernel has taken the job yet; one that runs will (redisdistro start)')
    }
  } finally {
    line.end()
  }
  return job
}

/** Shows how far a job is until it has ended; Ctrl-C ends the showing, and not the job. */
export async function watchJob(
  operator: OperatorContract,
  first: Job,
  { json }: { readonly json: boolean },
): Promise<void> {
  const leave = new AbortController()
  const stop = () => leave.abort()
  process.once('SIGINT', stop)
  const job = await watched(operator, first, leave.signal).finally(() =>
    process.off('SIGINT', stop),
  )
  if (job.state === 'running') {
    throw new Error(`the job goes on: job show ${job.id}, and job stop ${job.id} ends it`)
  }
  const words = `requeued ${progressOf(job)}, dead letters of '${job.key}'`
  await printResult(job, { json, words: () => words })
  if (job.state === 'failed') throw new Error(`the job failed: ${job.error}`)
  if (job.state === 'stopped') throw new Error('the job was stopped')
}

async function listJobs(globals: Globals): Promise<void> {
  const items = await withKernel(globals, ({ operator }) => operator.jobs())
  const words = () => (items.length === 0 ? 'no jobs' : table(columns, items))
  await printResult({ items, cursor: null }, { json: globals.json === true, words })
}

async function actOnJob(verb: 'job' | 'stopJob', id: string, globals: Globals): Promise<void> {
  const job = await withKernel(globals, ({ operator }) => operator[verb](id))
  if (job === undefined) throw unknownJob(id)
  const words = () => (verb === 'job' ? jobSheet(job) : `job ${id} is ${stateOf(job)}`)
  await printResult(job, { json: globals.json === true, words })
}

/** `job list|show|stop` */
export function addJob(program: Command): void {
  const job = program.command('job').description('look at bulk jobs and stop them')
  job
    .command('list')
    .description('list the last hundred jobs, the newest first')
    .action((_, command: Command) => listJobs(optionsOf(command)))
  job
    .command('show')
    .description('show how far one job is')
    .argument('<id>', 'the id of the job')
    .action((id: string, _, command: Command) => actOnJob('job', id, optionsOf(command)))
  job
    .command('stop')
    .description('end a job; what it has done stays done')
    .argument('<id>', 'the id of the job')
    .action((id: string, _, command: Command) => actOnJob('stopJob', id, optionsOf(command)))
}
