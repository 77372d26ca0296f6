import { within } from '../../core/within.js'
import type { ResolvedConfig } from '../resolved-config.js'
import { type CheckName, checks, type Finding, finding, several, wordsOf } from './checks.js'
import { checkPlugins } from './plugins.js'
import { checkStore } from './store.js'
import { checkTelemetry } from './telemetry.js'

/** ms that all checks may take, side by side. */
const longest = 10_000
/** ms that plugins and endpoints may take to answer: less, so that they are named when they do not. */
const longestOutside = 6_000

/** What is said of a group that came to no end, or broke. */
async function ended(name: CheckName, group: Promise<Finding[]>): Promise<Finding[]> {
  const lost = (found: string) => [finding(name, 'warning', { found, todo: 'try it again' })]
  try {
    return (await within(longest, group)) ?? lost(`no answer within ${longest / 1000} s`)
  } catch (error) {
    return lost(`it could not be looked at: ${wordsOf(error)}`)
  }
}

const order = Object.keys(checks)

/** That a config cannot be used, as a finding; nothing else can be looked at then. */
export const configFinding = (error: unknown): Finding =>
  finding('config', 'danger', {
    found: wordsOf(error),
    todo: 'mend it, then look again: what else there is to check is known by the config alone',
  })

/**
 * Looks at all that a project needs, within ten seconds. Nothing of it is started; an embedded store
 * is, as by every command. `progress` is told how many of the groups are done.
 */
export async function examine(
  config: ResolvedConfig,
  progress: (done: number) => void = () => undefined,
): Promise<Finding[]> {
  const { file, queues, tasks } = config
  const words = `${file ?? 'the config'} can be used: ${several(queues.size, 'queue')}, ${several(tasks.size, 'task type')}`
  const stop = AbortSignal.timeout(longestOutside)
  const groups = [
    ended('store', checkStore(config)),
    ended('plugin', checkPlugins(config, stop)),
    ended('telemetry', checkTelemetry(process.env, stop)),
  ]
  let done = 0
  for (const group of groups) void group.then(() => progress(++done))
  const found = (await Promise.all(groups)).flat()
  return [finding('config', 'ok', { found: words }), ...found].sort(
    (a, b) => order.indexOf(a.check) - order.indexOf(b.check),
  )
}
