import type { Command } from 'commander'
import { type Globals, optionsOf } from './globals.js'

export interface StartFlags extends Globals {
  readonly producer?: boolean
  readonly worker?: boolean
  readonly queues?: string
}

/** Neither flag means both roles, as both do. */
const rolesOf = ({ producer, worker }: StartFlags) =>
  producer === worker
    ? (['producer', 'worker'] as const)
    : producer
      ? (['producer'] as const)
      : (['worker'] as const)

const queuesOf = (text: string | undefined) =>
  text
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean)

/** `start`: supervises a child that runs the kernel, or, as that child, runs it. */
async function start(flags: StartFlags): Promise<void> {
  const { inChild } = await import('./supervised.js')
  if (!inChild()) {
    const { supervise } = await import('./supervisor.js')
    process.exitCode = await supervise(process.argv.slice(2))
    return
  }
  const { runKernel } = await import('./supervised.js')
  const { config: file, redisUrl } = flags
  await runKernel({
    file,
    flags: redisUrl === undefined ? {} : { redisUrl },
    roles: rolesOf(flags),
    queues: queuesOf(flags.queues),
  })
}

/** `start [--producer] [--worker] [--queues a,b]` */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('start the API and the workers, or one of them')
    .option('--producer', 'the API alone')
    .option('--worker', 'workers alone')
    .option('--queues <names>', 'work these queues alone, by comma')
    .action((_, command: Command) => start(optionsOf<StartFlags>(command)))
}
