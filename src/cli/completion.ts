import { Argument, type Command } from 'commander'
import type { Shell } from './completion/scripts.js'
import { optionsOf } from './globals.js'
import { printResult } from './output.js'

const shells: readonly Shell[] = ['bash', 'zsh', 'fish']

async function complete(shell: Shell, command: Command): Promise<void> {
  const { scripts } = await import('./completion/scripts.js')
  const { placesOf } = await import('./completion/tree.js')
  let program = command
  while (program.parent !== null) program = program.parent
  const script = scripts[shell](placesOf(program))
  const { json } = optionsOf(command)
  await printResult({ shell, script }, { json: json === true, words: () => script.trimEnd() })
}

/** `completion bash|zsh|fish` */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script by which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell, _, command: Command) => complete(shell, command))
}
