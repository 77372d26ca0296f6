import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { Life } from '../core/life.js'
import { optionsOf, wholeNumber } from './globals.js'
import {
  kernelVariable,
  livesFromText,
  livesToText,
  type StopSignal,
  stopSignals,
} from './kernel-link.js'
import type { StartOptions } from './start-options.js'

const port = wholeNumber(0, 65_535, (message) => new InvalidArgumentError(message))

/** Kernels before that a new one is told of: the leases of older ones have run out long since. */
const mostGone = 20

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

function queueNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('It must be names, separated by commas.')
  return [...new Set(names)]
}

/** npm ends on SIGTERM with the shell between, which hands nothing on: looked for twice a second. */
function onParentGone(stop: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, 500)
  watch.unref()
}

/** Keeps a kernel running in a process of its own, which is this program again. */
async function supervise(forPeople: boolean): Promise<number> {
  const { fork } = await import('node:child_process')
  const { fileURLToPath } = await import('node:url')
  const { systemClock } = await import('../core/clock.js')
  const { newLife } = await import('../core/life.js')
  const { announcer } = await import('./announce.js')
  const { Supervisor } = await import('./supervisor.js')
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  let gone: readonly Life[] = []
  const supervisor = new Supervisor({
    fork: () => {
      const own = newLife()
      const env = { ...process.env, [kernelVariable]: livesToText({ own, gone }) }
      // The next one is forked when this one has ended.
      gone = [...gone, own].slice(-mostGone)
      return fork(main, process.argv.slice(2), { env })
    },
    announce: announcer(forPeople),
    clock: systemClock,
  })
  for (const signal of Object.keys(stopSignals) as StopSignal[]) {
    process.on(signal, () => supervisor.signal(signal))
  }
  if (process.env['npm_lifecycle_event']) onParentGone(() => supervisor.signal('SIGTERM'))
  return await supervisor.run()
}

async function start(options: StartOptions, command: Command): Promise<void> {
  if (options.producer === true && options.worker !== true && options.queues !== undefined) {
    command.error('error: --queues says what workers run; without --worker there are none')
  }
  const forPeople = process.stderr.isTTY === true
  const said = process.env[kernelVariable]
  // What a handler starts is no kernel of this supervisor.
  delete process.env[kernelVariable]
  if (said === undefined || process.send === undefined) {
    process.exitCode = await supervise(forPeople)
    return
  }
  const { KernelProcess } = await import('./kernel-process.js')
  const lives = livesFromText(said)
  process.exitCode = await new KernelProcess(options, { forPeople, lives }).run()
}

/** `start [--producer] [--worker] [--queues a,b]` */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('run the API and the workers, and start them again should they crash')
    .option('--producer', 'run the API; with neither flag both are run')
    .option('--worker', 'run the workers')
    .option('--queues <names>', 'run the workers of these queues alone: a,b', queueNames)
    .option('--host <host>', 'address that the API listens on')
    .option('--port <port>', 'port that the API listens on', port)
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(logLevels))
    .action((_, command: Command) => start(optionsOf(command), command))
}
