import { isSecretParameter, redact } from '../core/secrets.js'
import type { ResolvedConfig } from './resolved-config.js'

/** One value of the config as it holds, with where it came from; durations in ms. */
export interface ConfigRow {
  readonly path: string
  readonly value: unknown
  readonly source: string
}

const hidden = '[hidden]'
const secret = /(^http\.tokens\.)|((^|\.)(password|sentinelPassword|key)$)/

/** Without its password, and without what its query calls a secret. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return redact(url)
  const parsed = new URL(url)
  if (parsed.password !== '') parsed.password = 'hidden'
  if (redact(parsed.username) !== parsed.username) parsed.username = 'hidden'
  for (const name of [...parsed.searchParams.keys()]) {
    if (isSecretParameter(name)) parsed.searchParams.set(name, 'hidden')
  }
  return parsed.href
}

function masked(path: string, value: unknown): unknown {
  if (path === 'redis.url' && typeof value === 'string') return withoutPassword(value)
  if (secret.test(path)) return Array.isArray(value) ? value.map(() => hidden) : hidden
  if (Array.isArray(value)) return value.map((inner) => masked(path, inner))
  return typeof value === 'string' ? redact(value) : value
}

function* leavesOf(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (value === undefined || typeof value === 'function') return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield [path, value]
    return
  }
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value)
  for (const [key, inner] of entries) yield* leavesOf(inner, path === '' ? key : `${path}.${key}`)
}

/** Every value of a config as it holds, by path, with its source; secrets are hidden. */
export function explainConfig(config: ResolvedConfig): ConfigRow[] {
  const { redis, defaults, queues, worker, http, telemetry, time } = config
  const tasks = [...config.tasks].map(([type, { definition: _, plugin: __, ...settled }]) => [
    type,
    settled,
  ])
  const queuesWithGiven = [...queues].map(([name, { given, limits, ...queue }]) => [
    name,
    { ...queue, ...limits, ...given },
  ])
  const tree = {
    redis,
    plugins: config.plugins.map((plugin) => plugin.name),
    pluginRoots: config.pluginRoots,
    defaults,
    // No key of the config, yet what the queue 'default' is called wherever it shows.
    defaultQueue: config.defaultQueue,
    queues: Object.fromEntries(queuesWithGiven),
    tasks: Object.fromEntries(tasks),
    schedules: Object.fromEntries(config.schedules),
    worker,
    http,
    telemetry,
    time,
    logLevel: config.logLevel,
  }
  return [...leavesOf(tree, '')].map(([path, value]) => ({
    path,
    value: masked(path, value),
    source: sourceOf(config, path),
  }))
}

function sourceOf({ sources, plugins }: ResolvedConfig, path: string): string {
  if (path === 'plugins') return plugins.length > 0 ? 'config' : 'default'
  return sources.get(path) ?? 'default'
}
