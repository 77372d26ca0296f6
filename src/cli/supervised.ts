import type { Role, Started } from '../kernel/kernel.js'
import type { ResolvedConfig } from '../kernel/resolved-config.js'
import { settleFailure } from './failure.js'

/** Set in the environment of the child that runs the kernel. */
export const childMark = 'REDISDISTRO_SUPERVISED'

/** True in the process that `supervise` forked. */
export const inChild = (): boolean => process.env[childMark] === '1' && process.send !== undefined

export interface RunOptions {
  readonly file: string | undefined
  readonly flags: { readonly redisUrl?: string }
  readonly roles: readonly Role[]
  readonly queues: readonly string[] | undefined
}

/** The child's word to its supervisor. */
export type Word = 'ready' | 'failed'

const tell = (word: Word) => process.send?.(word)

function greet(config: ResolvedConfig, started: Started, roles: readonly Role[]): void {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  say(`Tasks are kept in ${started.store}`)
  if (roles.includes('worker')) {
    const queues = [...config.queues].map(
      ([name, { concurrency }]) => `${name} (${concurrency} at once)`,
    )
    say(`Working on ${queues.join(', ')}`)
  }
  for (const { name, tasks } of config.plugins) {
    say(`Plugin ${name}: ${tasks.map(({ type }) => type).join(', ')}`)
  }
  if (!started.url) return say('Ready; Ctrl-C stops')
  say(`API at ${started.url}`)
  say('Ready; Ctrl-C stops')
  if (!roles.includes('producer') || !config.tasks.has('email')) return
  say(
    `Try: curl -X POST ${started.url}/enqueue/email -H 'content-type: application/json' ` +
      `-d '{"to":"recipient@example.com","subject":"Your Subject","body":"Your message body"}'`,
  )
}

/**
 * Runs a kernel until a signal, the end of the supervisor, or an error that nobody caught. The exit
 * code is 0 after a stop that was asked for, and 1 otherwise.
 */
export async function runKernel(options: RunOptions): Promise<void> {
  const { createKernel } = await import('../kernel/kernel.js')
  const { file, flags, roles, queues } = options
  try {
    const kernel = await createKernel(undefined, { directory: process.cwd(), file, flags })
    let stopping: Promise<void> | undefined
    const stop = (code: number) => {
      stopping ??= kernel.stop().then(() => process.exit(code))
      return stopping
    }
    // The supervisor tells a second signal from a copy of the first; here one is enough.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))
    process.on('disconnect', () => void stop(0))
    for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(fault, (error: unknown) => {
        const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
        process.stderr.write(`redisdistro: ${fault}: ${words}\n`)
        void stop(1)
      })
    }
    const started = await kernel.start({ roles, queues })
    tell('ready')
    greet(kernel.config, started, roles)
  } catch (error) {
    tell('failed')
    process.exit(settleFailure(error))
  }
}
