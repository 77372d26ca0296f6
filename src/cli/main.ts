#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { learnVariables, redact } from '../core/secrets.js'
import { addConfig } from './config.js'
import { addDead } from './dead.js'
import { addEnqueue } from './enqueue.js'
import { endUncaught, exitCodes, exitWords, settleFailure } from './failure.js'
import { optionsOf } from './globals.js'
import { addQueue } from './queue.js'
import { addSchedule } from './schedule.js'
import { addStart } from './start.js'
import { addStats } from './stats.js'
import { addTask } from './task.js'
import { addWhen } from './when.js'
import { addWorker } from './worker.js'

const addAll = [
  addStart,
  addEnqueue,
  addTask,
  addQueue,
  addDead,
  addSchedule,
  addWorker,
  addStats,
  addConfig,
  addWhen,
]

function version(): string {
  const own: { readonly version: string } = createRequire(import.meta.url)(
    'redisdistro/package.json',
  )
  return own.version
}

function refuseMissingConfig(command: Command): void {
  const { config } = optionsOf(command)
  if (config === undefined || existsSync(config)) return
  command.error(`error: --config: there is no file ${config}`)
}

function program(): Command {
  const program = new Command('redisdistro')
    .description('Runs tasks on Redis, and looks after them.')
    .option('--config <path>', 'a config file to take instead of searching upward from here')
    .option('--json', 'print the result as one JSON document')
    .option('--redis-url <url>', 'the Redis to use, over REDIS_URL and the config')
    .version(version())
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('afterAll', exitWords)
    .hook('preAction', (_, command) => refuseMissingConfig(command))
    .configureOutput({ writeErr: (text) => void process.stderr.write(redact(text)) })
    .exitOverride()
  // The settings above are handed down when a command is added.
  for (const add of addAll) add(program)
  return program
}

/** Settles when what was printed has left this process; a reader that has gone needs nothing. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })

async function main(): Promise<void> {
  learnVariables(process.env)
  process.on('uncaughtException', endUncaught)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    await program().parseAsync()
  } catch (error) {
    process.exitCode = settleFailure(error)
  }
  await Promise.all([written(process.stdout), written(process.stderr)])
  // A timer that a user's config or plugin left would keep a finished command from ending.
  process.exit(process.exitCode ?? exitCodes.done)
}

await main()
