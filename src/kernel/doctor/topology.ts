import type { SentinelFacts, ServerFacts, StoreFacts } from '../../broker/diagnosis/facts.js'
import type { ResolvedConfig } from '../resolved-config.js'
import { type Finding, finding, several } from './checks.js'

const allSlots = 16_384

type Settings = Pick<ResolvedConfig, 'redis'>

export function judgeCluster({ cluster, servers }: StoreFacts, { redis }: Settings): Finding[] {
  if (cluster === undefined) {
    const [node] = servers
    if (node?.info?.['cluster_enabled'] !== '1') return []
    const found = `${node.says} is a node of a Redis Cluster, and is named as a single Redis`
    const [host, port] = node.says.split(/:(?=\d+$)/)
    const todo = `name it under redis.cluster: { nodes: [{ host: '${host}', port: ${port} }] }`
    return [finding('cluster', 'danger', { found, todo })]
  }
  const number = (name: string) => Number(cluster[name] ?? 0)
  const assigned = number('cluster_slots_assigned')
  const failing = number('cluster_slots_fail') + number('cluster_slots_pfail')
  const state = cluster['cluster_state'] ?? 'unknown'
  const found =
    `state ${state}, ${assigned} of ${allSlots} slots have a master, ${failing} of these are failing; ` +
    `${servers.length} masters answered`
  if (state === 'ok' && assigned === allSlots && failing === 0) {
    return [finding('cluster', 'ok', { found })]
  }
  const { host = 'HOST', port = 6379 } = redis.cluster?.nodes[0] ?? {}
  const todo = `bring the missing masters back: redis-cli --cluster check ${host}:${port}`
  return [finding('cluster', 'danger', { found, todo })]
}

interface Replica {
  readonly address: string
  readonly state: string
  /** Seconds since its last word. */
  readonly lag: number
  /** Bytes that it has of the stream of writes. */
  readonly offset: number
}

function replicasOf(info: Readonly<Record<string, string>>): Replica[] {
  return Object.entries(info)
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, text]) => {
      const parts = Object.fromEntries(text.split(',').map((part) => part.split('=')))
      return {
        address: `${parts['ip']}:${parts['port']}`,
        state: String(parts['state']),
        lag: Number(parts['lag']),
        offset: Number(parts['offset']),
      }
    })
}

/** Seconds of silence, and bytes behind, from which on a replica counts as late. */
const longestLag = 10
const mostBehind = 16 * 1024 * 1024

/** `failsOver`: whether something waits to make a replica the master. */
export function judgeReplicas({ says, info }: ServerFacts, failsOver: boolean): Finding[] {
  if (info === undefined || info['role'] !== 'master') return []
  const replicas = replicasOf(info)
  if (replicas.length === 0) {
    const found = `${says} has no replica: its tasks are on one machine alone`
    const todo = failsOver
      ? 'give it a replica, or its death cannot be made good'
      : 'give it a replica where the loss of its disk matters'
    return [finding('replicas', failsOver ? 'warning' : 'note', { found, todo })]
  }
  const offset = Number(info['master_repl_offset'] ?? 0)
  const late = replicas.filter(
    (one) => one.state !== 'online' || one.lag > longestLag || offset - one.offset > mostBehind,
  )
  const listed = replicas.map(
    ({ address, state, lag, offset: has }) =>
      `${address} ${state}, ${lag} s and ${Math.max(0, offset - has)} bytes behind`,
  )
  const found = `${says} has ${several(replicas.length, 'replica')}: ${listed.join('; ')}`
  if (late.length === 0) return [finding('replicas', 'ok', { found })]
  const todo = `look at ${late.map(({ address }) => address).join(', ')}, and at the network between`
  return [finding('replicas', 'warning', { found, todo })]
}

export function judgeSentinels(
  sentinels: readonly SentinelFacts[],
  { redis }: Settings,
): Finding[] {
  const away = sentinels.filter(({ failure }) => failure !== undefined)
  const without = sentinels.filter(({ quorum }) => quorum !== undefined && !/^OK\b/.test(quorum))
  const told = sentinels.map(({ says, quorum, failure }) => `${says}: ${quorum ?? failure}`)
  const found = told.join('; ')
  if (away.length === sentinels.length) {
    const todo = 'start the sentinels, or mend redis.sentinel.nodes and sentinelPassword'
    return [finding('sentinel', 'danger', { found, todo })]
  }
  if (without.length > 0) {
    const todo = `SENTINEL MASTER ${redis.sentinel?.name ?? ''} there says what it knows; start those that are missing`
    return [finding('sentinel', 'warning', { found, todo })]
  }
  if (away.length > 0) {
    const todo = `bring ${away.map(({ says }) => says).join(', ')} back`
    return [finding('sentinel', 'warning', { found, todo })]
  }
  return [finding('sentinel', 'ok', { found })]
}
