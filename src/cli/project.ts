import { isRedisDistroError } from '../core/errors.js'
import type { Kernel } from '../kernel/kernel.js'
import type { ResolvedConfig } from '../kernel/resolved-config.js'
import type { Globals } from './globals.js'

/** Where a command finds its project, and what it says over the environment. */
export const placeOf = ({ config, redisUrl }: Globals) => ({
  directory: process.cwd(),
  file: config,
  flags: { redisUrl },
})

/** Reads config, environment and plugins, and opens nothing. */
export async function readProject(globals: Globals): Promise<ResolvedConfig> {
  const { readConfig } = await import('../kernel/read-config.js')
  return await readConfig(placeOf(globals))
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
  const { withSource } = await import('../kernel/sources.js')
  const { flags, ...place } = placeOf(globals)
  // Warnings about the store are for whoever runs on it; a command that fails says why itself.
  const logLevel = process.env['LOG_LEVEL'] || 'error'
  const kernel = await createKernel(undefined, { ...place, flags: { ...flags, logLevel } })
  try {
    return await use(kernel)
  } catch (error) {
    const away = isRedisDistroError(error) && error.code === 'store_away'
    throw away ? withSource(error, kernel.config, ['redis.url']) : error
  } finally {
    await kernel.stop()
  }
}
