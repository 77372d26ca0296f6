import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { redact } from '../core/secrets.js'
import { addCompletion } from './completion.js'
import { addConfig } from './config.js'
import { addDead } from './dead.js'
import { addDoctor } from './doctor.js'
import { addEnqueue } from './enqueue.js'
import { addEvents } from './events.js'
import { addExamples } from './examples.js'
import { exitWords } from './failure.js'
import { optionsOf } from './globals.js'
import { addJob } from './job.js'
import { addOpenApi } from './openapi.js'
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
  addJob,
  addSchedule,
  addWorker,
  addStats,
  addEvents,
  addConfig,
  addOpenApi,
  addWhen,
  addDoctor,
  addCompletion,
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

/** The whole command line, with every command. */
export function makeProgram(): Command {
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
    .configureOutput({
      writeErr: (text) => void process.stderr.write(redact(text)),
      // As all that goes wrong is told.
      outputError: (text, write) => write(text.replace(/^error: /, 'redisdistro: ')),
    })
    .exitOverride()
  // The settings above are handed down when a command is added.
  for (const add of addAll) add(program)
  addExamples(program)
  return program
}
