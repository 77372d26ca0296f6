import type { ServerFacts } from '../../broker/diagnosis/facts.js'
import type { ResolvedConfig } from '../resolved-config.js'
import { type Finding, finding, several } from './checks.js'

/** Of one ended task without much of a payload or a result, about. */
const bytesOfTask = 500

/** Bytes for people: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** A field of INFO as a number; 0 where it is missing, as where there is no limit. */
const fieldOf = ({ info }: ServerFacts, name: string): number => Number(info?.[name] ?? 0) || 0

export function judgeEviction(
  { says, server, settings }: ServerFacts,
  { redis }: Pick<ResolvedConfig, 'redis'>,
): Finding[] {
  if (server === undefined) return []
  const policy = server.eviction ?? settings['maxmemory-policy']
  const todo = 'set maxmemory-policy noeviction (redis-cli config set maxmemory-policy noeviction)'
  if (policy === undefined) {
    const found = `the eviction policy of ${says} may not be read`
    return [finding('eviction', 'warning', { found, todo: `make sure: ${todo}` })]
  }
  const found = `maxmemory-policy of ${says} is ${policy}`
  if (policy === 'noeviction') return [finding('eviction', 'ok', { found })]
  if (policy.startsWith('volatile-')) {
    const harmless = `${found}: it evicts keys that have a TTL, and no task has one`
    return [finding('eviction', 'warning', { found: harmless, todo })]
  }
  const words = `${found}: tasks are thrown away when it is full`
  return redis.allowEviction
    ? [
        finding('eviction', 'warning', {
          found: `${words}; redis.allowEviction accepts that`,
          todo,
        }),
      ]
    : [finding('eviction', 'danger', { found: words, todo })]
}

function judgeUse(facts: ServerFacts): Finding {
  const { says } = facts
  const used = fieldOf(facts, 'used_memory')
  const most = fieldOf(facts, 'maxmemory')
  const whole = fieldOf(facts, 'total_system_memory')
  if (most > 0) {
    const share = used / most
    const found = `${says} uses ${formatBytes(used)} of maxmemory ${formatBytes(most)} (${percent(share)})`
    if (share < 0.9) return finding('memory', 'ok', { found })
    const todo = 'raise maxmemory, purge dead letters, or shorten the retention'
    return finding('memory', 'warning', { found, todo })
  }
  const of = whole > 0 ? ` of the machine's ${formatBytes(whole)} (${percent(used / whole)})` : ''
  const found = `${says} uses ${formatBytes(used)}${of}, and has no maxmemory`
  const todo = 'set maxmemory below what the machine has, with room for snapshots'
  const isMuch = whole > 0 && used / whole >= 0.75
  return finding('memory', isMuch ? 'warning' : 'note', { found, todo })
}

export const judgeMemory = (facts: ServerFacts): Finding[] =>
  facts.info?.['used_memory'] === undefined ? [] : [judgeUse(facts)]

/** Whether what the config keeps of ended tasks fits into the servers' memory, all together. */
export function judgeRetention(
  servers: readonly ServerFacts[],
  { queues }: Pick<ResolvedConfig, 'queues'>,
): Finding[] {
  const rooms = servers.map(
    (facts) => fieldOf(facts, 'maxmemory') || fieldOf(facts, 'total_system_memory'),
  )
  if (rooms.includes(0)) return []
  const room = rooms.reduce((sum, bytes) => sum + bytes, 0)
  const kept = [...queues.values()]
    .flatMap(({ retention }) => Object.values(retention))
    .reduce((sum, { count }) => sum + count, 0)
  const bytes = kept * bytesOfTask
  const found =
    `up to ${several(kept, 'ended task')} may be kept over ${several(queues.size, 'queue')}, ` +
    `some ${formatBytes(bytes)} at ${bytesOfTask} bytes each, of ${formatBytes(room)}`
  if (bytes < room / 2) return [finding('retention', 'ok', { found })]
  const todo = 'lower defaults.retention.*.count, or give Redis more memory'
  return [finding('retention', 'note', { found, todo })]
}
