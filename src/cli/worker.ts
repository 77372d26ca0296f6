import type { Command } from 'commander'
import type { WorkerStatus } from '../client/contract.js'
import { type Globals, optionsOf } from './globals.js'
import { type Column, printResult, table } from './output.js'
import { withKernel } from './project.js'
import { shortTime } from './task-words.js'

const columns: readonly Column<WorkerStatus>[] = [
  { head: 'WORKER', cell: ({ id }) => id, flexible: true },
  { head: 'QUEUE', cell: ({ queue }) => queue, flexible: true },
  { head: 'HOST', cell: ({ host }) => host, flexible: true },
  { head: 'PID', cell: ({ pid }) => pid, align: 'right' },
  { head: 'RUNNING', cell: ({ running }) => running.length, align: 'right' },
  { head: 'CONCURRENCY', cell: ({ concurrency }) => concurrency, align: 'right', spare: 1 },
  { head: 'STARTED', cell: ({ startedAt }) => shortTime(startedAt), spare: 3 },
  { head: 'LEASE UNTIL', cell: ({ leaseUntil }) => shortTime(leaseUntil), spare: 2 },
]

async function listWorkers(globals: Globals): Promise<void> {
  const items = await withKernel(globals, ({ operator }) => operator.workers())
  const words = () => (items.length === 0 ? 'no workers' : table(columns, items))
  await printResult({ items, cursor: null }, { json: globals.json === true, words })
}

/** `worker list` */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('look at workers')
    .command('list')
    .description('list live workers and how much they run')
    .action((_, command: Command) => listWorkers(optionsOf(command)))
}
