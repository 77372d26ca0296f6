import type { Command } from 'commander'
import { type Globals, optionsOf } from './globals.js'
import { printResult } from './output.js'
import { withKernel } from './project.js'

async function printOpenApi(globals: Globals): Promise<void> {
  const { apiDocument } = await import('../kernel/api-document.js')
  const document = await withKernel(globals, apiDocument)
  await printResult(document, { json: true, words: () => '' })
}

/** `openapi` */
export function addOpenApi(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document of the HTTP API, with or without --json')
    .action((_, command: Command) => printOpenApi(optionsOf(command)))
}
