#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { addConfig } from './config.js'
import { addDead } from './dead.js'
import { addEnqueue } from './enqueue.js'
import { settleFailure } from './failure.js'
import { addQueue } from './queue.js'
import { addStart } from './start.js'
import { addStats } from './stats.js'
import { addTask } from './task.js'
import { addWhen } from './when.js'
import { addWorker } from './worker.js'

/** Every command and group takes the program's options, and throws instead of ending the process. */
function settle(command: Command, own: boolean): void {
  command.exitOverride().showHelpAfterError('(--help shows what it takes)')
  if (own) {
    command
      .option('--config <path>', 'a config file to take instead of searching')
      .option('--json', 'print results as JSON')
  }
  for (const sub of command.commands) settle(sub, true)
}

function version(): string {
  const require = createRequire(import.meta.url)
  return (require('redisdistro/package.json') as { version: string }).version
}

function createProgram(): Command {
  const program = new Command('redisdistro')
    .description('A distributed task framework on Redis.')
    .version(version())
  for (const add of [addStart, addEnqueue, addTask, addQueue, addDead, addWorker, addStats]) {
    add(program)
  }
  addConfig(program)
  addWhen(program)
  settle(program, true)
  return program
}

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  process.exitCode = settleFailure(error)
}
