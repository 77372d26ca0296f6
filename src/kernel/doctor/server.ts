import type { ServerFacts } from '../../broker/diagnosis/facts.js'
import { formatDuration } from '../../core/duration.js'
import type { ResolvedConfig } from '../resolved-config.js'
import { type Finding, finding } from './checks.js'

export function judgeVersion({ says, server, info }: ServerFacts): Finding[] {
  if (server === undefined) {
    const found = `the version of ${says} may not be read`
    return [finding('version', 'warning', { found, todo: 'allow its user +info' })]
  }
  const kind = info?.['valkey_version'] === undefined ? 'Redis' : 'Valkey'
  const version = info?.['valkey_version'] ?? info?.['redis_version'] ?? server.version.join('.')
  const found = `${says} is ${kind} ${version}`
  const [major, minor] = server.version
  if (major < 6 || (major === 6 && minor < 2)) {
    return [finding('version', 'danger', { found, todo: 'run Redis 6.2 or newer, or Valkey' })]
  }
  if (major >= 7) return [finding('version', 'ok', { found })]
  return [finding('version', 'note', { found, todo: 'run 7 or newer when you can' })]
}

export function judgeRole({ says, server, info }: ServerFacts): Finding[] {
  if (server === undefined) return []
  if (server.replica) {
    const todo = 'name its master, or use redis.sentinel or redis.cluster'
    return [finding('role', 'danger', { found: `${says} is a replica`, todo })]
  }
  if (info?.['loading'] === '1') {
    return [finding('role', 'warning', { found: `${says} still loads its data`, todo: 'wait' })]
  }
  return [finding('role', 'ok', { found: `${says} takes tasks` })]
}

export function judgeRights(
  { says, rights }: ServerFacts,
  { redis }: Pick<ResolvedConfig, 'redis'>,
): Finding[] {
  const { user = 'the user', refused, noKeys } = rights
  const who = user === 'the user' ? user : `user '${user}'`
  const lacks = [...(noKeys ? [`~${redis.prefix}:*`] : []), ...refused.map((name) => `+${name}`)]
  if (lacks.length === 0) {
    const found = `${who} of ${says} may run every command that is needed`
    return [finding('rights', 'ok', { found })]
  }
  const found = `${who} of ${says} lacks ${lacks.join(' ')}`
  const name = user === 'the user' ? 'USER' : user
  const todo = `ACL SETUSER ${name} ${lacks.join(' ')} (all of them: docs/redis.md)`
  return [finding('rights', 'danger', { found, todo })]
}

/** ms that the clocks may be apart. */
const clocksApart = 1000

export function judgeClock({ says, ahead }: ServerFacts): Finding[] {
  if (ahead === undefined) return []
  const apart = Math.abs(ahead)
  const way = ahead > 0 ? 'ahead of' : 'behind'
  const found = `the clock of ${says} is ${formatDuration(apart)} ${way} this machine's`
  if (apart <= clocksApart) return [finding('clock', 'ok', { found })]
  const todo = 'let NTP set both clocks'
  return [finding('clock', 'warning', { found, todo })]
}

/** The value that this share of them does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

const ms = (value: number): string => `${Number(value.toPrecision(2))} ms`

const slow = 5
const verySlow = 25

export function judgeLatency(
  { says, pings, scripts }: ServerFacts,
  { redis }: Pick<ResolvedConfig, 'redis'>,
): Finding[] {
  if (pings.length === 0) return []
  const [median, p99] = [quantile(pings, 0.5), quantile(pings, 0.99)]
  const ofScripts =
    scripts.length === 0
      ? ''
      : `, a script's ${ms(quantile(scripts, 0.5))} and ${ms(quantile(scripts, 0.99))}`
  const found = `a ping of ${says} takes ${ms(median)} at the median and ${ms(p99)} at p99${ofScripts}`
  const near = 'run Redis near its workers, and look at what else keeps it busy (SLOWLOG GET)'
  if (p99 >= redis.commandTimeout / 2) {
    const todo = `${near}, or raise redis.commandTimeout (${formatDuration(redis.commandTimeout)})`
    return [finding('latency', 'warning', { found, todo })]
  }
  if (median < slow) return [finding('latency', 'ok', { found })]
  return [finding('latency', median < verySlow ? 'note' : 'warning', { found, todo: near })]
}

export function judgeDurability(
  { says, durability }: ServerFacts,
  { redis }: Pick<ResolvedConfig, 'redis'>,
): Finding[] {
  if (durability === undefined) {
    const found = "redis.durability is 'async': the answer of the server is all that is waited for"
    return [finding('durability', 'ok', { found })]
  }
  const { refusal, warnings } = durability
  if (refusal !== undefined) {
    const todo = "do as it says, or set redis.durability to 'async'"
    return [finding('durability', 'danger', { found: refusal, todo })]
  }
  if (warnings.length === 0) {
    const found = `${says} proves redis.durability '${redis.durability}'`
    return [finding('durability', 'ok', { found })]
  }
  return warnings.map((found) =>
    finding('durability', 'warning', { found, todo: 'do as it says, before enqueues wait for it' }),
  )
}
