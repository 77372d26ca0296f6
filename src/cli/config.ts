import type { Command } from 'commander'
import { type Globals, optionsOf } from './globals.js'
import { type Column, printResult, remark, table } from './output.js'
import { readProject } from './project.js'

interface Row {
  readonly path: string
  readonly value: unknown
  readonly source: string
}

const columns: readonly Column<Row>[] = [
  { head: 'OPTION', cell: ({ path }) => path },
  { head: 'VALUE', cell: ({ value }) => JSON.stringify(value), flexible: true },
  {
    head: 'FROM',
    cell: ({ source }) => source,
    style: ({ source }) => (source === 'default' ? 'gray' : undefined),
  },
]

async function printConfig(globals: Globals): Promise<void> {
  const { explainConfig } = await import('../kernel/explain-config.js')
  const config = await readProject(globals)
  const items = explainConfig(config)
  const file = config.file ?? null
  if (!globals.json && file !== null) remark(`${file} (durations in ms)`)
  const words = () => table(columns, items)
  await printResult({ file, items }, { json: globals.json === true, words })
}

/** `config print` */
export function addConfig(program: Command): void {
  program
    .command('config')
    .description('look at the config')
    .command('print')
    .description('print every option as it holds, with where it came from; secrets are hidden')
    .action((_, command: Command) => printConfig(optionsOf(command)))
}
