import type { Kernel } from '../kernel/kernel.js'
import type { ResolvedConfig } from '../kernel/resolved-config.js'
import type { Globals } from './globals.js'

/** What the command line says over the environment, for commands that run nothing. */
function flagsOf({ redisUrl }: Globals) {
  // Of a look at a queue, people want the queue; what goes wrong is still logged.
  const logLevel = process.env.LOG_LEVEL || 'error'
  return redisUrl === undefined ? { logLevel } : { logLevel, redisUrl }
}

const placeOf = (globals: Globals) => ({
  directory: process.cwd(),
  file: globals.config,
  flags: flagsOf(globals),
})

/** The config of the project that the command was called in. @throws RedisDistroError `bad_config` */
export async function readProject(globals: Globals): Promise<ResolvedConfig> {
  const { readConfig } = await import('../kernel/read-config.js')
  return readConfig(placeOf(globals))
}

/**
 * Makes the kernel of the project that the command was called in, lends it, and stops it. Nothing
 * is started: client and operator open the store when they are first asked.
 */
export async function withKernel<Result>(
  globals: Globals,
  use: (kernel: Kernel) => Promise<Result>,
): Promise<Result> {
  const { createKernel } = await import('../kernel/kernel.js')
  const kernel = await createKernel(undefined, placeOf(globals))
  try {
    return await use(kernel)
  } finally {
    await kernel.stop()
  }
}
