import type { Command } from 'commander'
import type { Stats } from '../client/contract.js'
import type { Counts } from '../core/counts.js'
import { formatDuration } from '../core/duration.js'
import { states } from '../core/state.js'
import { type Globals, optionsOf } from './globals.js'
import { type Column, pairs, printResult, table } from './output.js'
import { withKernel } from './project.js'
import { queueTable } from './queue.js'

interface CountRow {
  readonly over: string
  readonly counts: Counts
}

const counted = ['enqueued', 'completed', 'retried', 'dead', 'cancelled', 'lost'] as const

const columns: readonly Column<CountRow>[] = [
  { head: 'OVER', cell: ({ over }) => over },
  ...counted.map((name) => ({
    head: name.toUpperCase(),
    cell: ({ counts }: CountRow) => counts[name],
    align: 'right' as const,
  })),
]

const mean = (ms: number | null): string | undefined =>
  ms === null ? undefined : formatDuration(ms)

async function statsSheet(stats: Stats): Promise<string> {
  const { latencies } = stats
  const sheet = pairs([
    ['at', stats.at],
    ['workers', stats.workers],
    ...states.map((state) => [state, stats.depth[state]] as const),
    ['mean wait', mean(latencies.wait)],
    ['mean run', mean(latencies.run)],
  ])
  const counts = await table(columns, [
    { over: 'last minute', counts: stats.lastMinute },
    { over: 'last hour', counts: stats.lastHour },
    { over: 'total', counts: stats.total },
  ])
  return [sheet, counts, await queueTable(stats.queues)].join('\n\n')
}

async function showStats(globals: Globals): Promise<void> {
  const stats = await withKernel(globals, ({ operator }) => operator.stats())
  await printResult(stats, { json: globals.json === true, words: () => statsSheet(stats) })
}

/** `stats` */
export function addStats(program: Command): void {
  program
    .command('stats')
    .description('show counts, rates and latencies over all queues')
    .action((_, command: Command) => showStats(optionsOf(command)))
}
