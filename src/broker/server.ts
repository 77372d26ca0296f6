import { RedisDistroError } from '../core/errors.js'
import type { BrokerOptions } from './index.js'

/** What a Redis says of itself that decides whether tasks are safe in it. */
export interface Server {
  readonly version: readonly [major: number, minor: number]
  readonly eviction: string | undefined
  readonly appendOnly: boolean | undefined
  /** Whether the append-only file is being written anew, or is about to be. */
  readonly rewriting: boolean
  /** True while that is the first one: none of it would be read yet. */
  readonly firstFile: boolean
  readonly replica: boolean
  /** Whether WAITAOF, where the file is synced each second, waits for that. */
  readonly honestWaitAof: boolean
}

const field = (report: string, name: string) =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(report)?.[1]

/** Reads the answer of INFO. */
export function readServer(report: string): Server {
  const version = field(report, 'valkey_version') ?? field(report, 'redis_version') ?? '0.0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const aof = field(report, 'aof_enabled')
  const rewriting = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled'].some(
    (name) => field(report, name) === '1',
  )
  return {
    version: [major, minor],
    eviction: field(report, 'maxmemory_policy'),
    appendOnly: aof === undefined ? undefined : aof === '1',
    rewriting,
    firstFile: rewriting && aof === '1' && field(report, 'aof_base_size') === '0',
    replica: field(report, 'role') === 'slave',
    honestWaitAof: field(report, 'valkey_version') === undefined && major >= 8,
  }
}

type Judging = Pick<BrokerOptions, 'allowEviction' | 'log'> & { readonly says: string }

function refusalOf({ version, eviction }: Server, { says, allowEviction }: Judging) {
  const [major, minor] = version
  if (major < 6 || (major === 6 && minor < 2)) {
    const words = `${says} is version ${major}.${minor}; RedisDistro needs 6.2 or newer`
    return new RedisDistroError('unsafe_redis', words)
  }
  if (!eviction?.startsWith('allkeys-') || allowEviction) return undefined
  return new RedisDistroError(
    'unsafe_redis',
    `${says} has maxmemory-policy ${eviction} and would throw tasks away when it is full. ` +
      'Set it to noeviction (redis-cli config set maxmemory-policy noeviction), or accept the loss ' +
      'with redis.allowEviction: true',
  )
}

/** Warns of what may lose tasks, and returns the error where the server must not be used. */
export function judgeServer(server: Server, judging: Judging): RedisDistroError | undefined {
  const { log } = judging
  const { eviction, appendOnly } = server
  const refusal = refusalOf(server, judging)
  if (refusal) log.warn(refusal.message)
  if (server.replica) {
    log.warn(
      `${judging.says} is a replica, which takes no tasks: name its master, or use redis.sentinel`,
    )
  }
  if (eviction === undefined) {
    log.warn('The eviction policy of Redis cannot be read; tasks are safe only under noeviction')
  } else if (eviction.startsWith('volatile-')) {
    log.warn('Redis evicts keys that have a TTL; no task has one, but noeviction is safer', {
      eviction,
    })
  }
  if (appendOnly === false) {
    log.warn(
      'Redis keeps no append-only file: a restart loses every task since its last snapshot. ' +
        'Set appendonly yes',
    )
  }
  if (server.firstFile) {
    log.warn(
      'Redis is still writing its first append-only file: a restart before that is done loses every ' +
        'task since its last snapshot',
    )
  }
  return refusal
}
