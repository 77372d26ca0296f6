import { statfs } from 'node:fs/promises'
import { isFatalError } from '../../core/errors.js'
import type { Plugin, PluginCheckHost } from '../../core/plugin.js'
import { within } from '../../core/within.js'
import { silentLog } from '../../telemetry/log.js'
import { type ResolvedConfig, runDirectory } from '../resolved-config.js'
import { type Finding, finding, wordsOf } from './checks.js'
import { formatBytes } from './memory.js'

/** ms for a check that does not mind its signal. */
const longest = 7000

async function checkPlugin(plugin: Plugin, host: PluginCheckHost): Promise<Finding> {
  const types = plugin.tasks.map(({ type }) => type).join(', ')
  const loaded = `plugin '${plugin.name}' loads (${types || 'no tasks'})`
  if (plugin.check === undefined) return finding('plugin', 'ok', { found: loaded })
  try {
    const words = await within(longest, Promise.resolve(plugin.check(host)))
    if (words === undefined) throw new Error(`its check did not end within ${longest / 1000} s`)
    return finding('plugin', 'ok', { found: `${loaded}; ${words}` })
  } catch (error) {
    const found = `plugin '${plugin.name}': ${wordsOf(error)}`
    const todo =
      'mend what its check tells of; its tasks are retried until then, and may end as dead letters'
    return isFatalError(error)
      ? finding('plugin', 'danger', { found, todo: 'mend it: nothing starts before' })
      : finding('plugin', 'warning', { found, todo })
  }
}

/** Has each plugin look at what it needs outside, side by side. */
export async function checkPlugins(
  config: ResolvedConfig,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { plugins, production } = config
  const directory = runDirectory(config)
  const host = { log: silentLog, directory, env: { production }, signal }
  if (plugins.length === 0) {
    const todo = "list some under plugins, such as 'redisdistro/plugins/email'"
    const found = 'no plugin is listed, so that there is no task type to enqueue'
    return [finding('plugin', 'note', { found, todo })]
  }
  return await Promise.all(plugins.map((plugin) => checkPlugin(plugin, host)))
}

const leastRoom = 1024 ** 3

/** The room of the disk that the embedded store writes to. */
export async function checkDisk(directory: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(directory)
  const room = bavail * bsize
  const found = `${formatBytes(room)} are free where ${directory} is`
  if (room >= leastRoom) return [finding('disk', 'ok', { found })]
  return [finding('disk', 'warning', { found, todo: 'make room' })]
}
