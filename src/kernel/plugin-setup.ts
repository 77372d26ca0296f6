import { systemClock } from '../core/clock.js'
import type { PluginClient } from '../core/enqueuer.js'
import { RedisDistroError } from '../core/errors.js'
import type { Plugin } from '../core/plugin.js'
import type { Log } from '../telemetry/log.js'
import { fileOf, nameOf } from './plugins.js'

export interface SetupOptions {
  readonly log: Log
  /** Absolute path of the folder for things made at run time. */
  readonly directory: string
  readonly production: boolean
  /** What plugins enqueue with. */
  readonly client: PluginClient
}

/** Settles with the call, or at `end` (monotonic ms) without it. */
async function until(end: number, call: Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const left = Math.max(0, end - systemClock.monotonic())
    timer = setTimeout(() => reject(new Error('it was not done in time')), left)
  })
  try {
    await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Closes plugins, the last first; one that fails is logged and keeps none of the others open, and
 * none is waited for past `end` (monotonic ms).
 */
export async function closePlugins(
  plugins: readonly Plugin[],
  log: Log,
  end = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (const plugin of [...plugins].reverse()) {
    try {
      if (end === Number.POSITIVE_INFINITY) await plugin.close?.()
      else await until(end, plugin.close?.())
    } catch (err) {
      log.error('a plugin could not be closed', { plugin: plugin.name, file: fileOf(plugin), err })
    }
  }
}

/** The client without what is not the plugins' to call, such as its end. */
const lent = (client: PluginClient): PluginClient =>
  Object.freeze({
    enqueue: (type, payload, options) => client.enqueue(type, payload, options),
    enqueueMany: (type, payloads, options) => client.enqueueMany(type, payloads, options),
    task: (id, queue) => client.task(id, queue),
    cancel: (id, queue) => client.cancel(id, queue),
  } satisfies PluginClient)

/**
 * Sets plugins up in their order.
 * @throws RedisDistroError `plugin_failed` with the plugin's name; those before it are closed again
 */
export async function setUpPlugins(
  plugins: readonly Plugin[],
  options: SetupOptions,
): Promise<void> {
  const done: Plugin[] = []
  const { directory, production } = options
  const client = lent(options.client)
  for (const plugin of plugins) {
    const log = options.log.with({ plugin: plugin.name })
    try {
      await plugin.setup?.({ log, client, directory, env: { production } })
    } catch (cause) {
      await closePlugins(done, options.log)
      const words = cause instanceof Error ? cause.message : String(cause)
      throw new RedisDistroError('plugin_failed', `${nameOf(plugin)}: ${words}`, { cause })
    }
    done.push(plugin)
  }
}
