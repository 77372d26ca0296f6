import { join, resolve } from 'node:path'
import { badConfig } from '../core/config-issues.js'
import { RedisDistroError } from '../core/errors.js'
import { learnSecretsOfConfig, learnVariables } from '../core/secrets.js'
import { type Config, configSchema, type ParsedConfig } from './config-schema.js'
import {
  adoptVariables,
  type Flags,
  parseEnvironment,
  readDotenv,
  sourceOf,
  type Variables,
} from './env.js'
import { findConfig } from './load-config.js'
import { loadPlugins } from './plugins.js'
import { resolveConfig } from './resolve.js'
import { checkSchedules } from './resolve-schedules.js'
import type { ResolvedConfig } from './resolved-config.js'

export interface ReadConfigOptions {
  /** A config in hand; left out, one is found. */
  readonly config?: Config | undefined
  /** The project's directory, or where the search for the config begins; the process's own. */
  readonly directory?: string | undefined
  /** A config file to take instead of searching. */
  readonly file?: string | undefined
  /** Variables to take instead of the process's own. */
  readonly env?: Variables | undefined
  readonly flags?: Flags | undefined
}

/** The schema would pass over such a name as if it were not there. */
function refusePrototypes(value: unknown, where: string, path: readonly string[] = []): void {
  if (typeof value !== 'object' || value === null || path.length > 4) return
  for (const [name, inner] of Object.entries(value)) {
    const place = [...path, name]
    if (name === '__proto__') {
      const message = 'is no name that can be used here'
      const words = `${where} cannot be used:\n  ${place.join('.')}: ${message}`
      const issues = [{ path: place.join('.'), message }]
      throw new RedisDistroError('bad_config', words, { issues })
    }
    refusePrototypes(inner, where, place)
  }
}

/**
 * Checks a config against the schema.
 * @throws RedisDistroError `bad_config` that lists everything that is wrong, as path, value and rule
 */
export function parseConfig(value: unknown, where: string): ParsedConfig {
  refusePrototypes(value, where)
  const parsed = configSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw badConfig(where, { value, schema: configSchema }, parsed.error.issues)
}

/**
 * Reads `.env`, config and plugins and makes them one. What only `.env` sets is put into the
 * process's environment before any code of the project runs, unless `env` was given.
 * @throws RedisDistroError `bad_config`
 */
export async function readConfig(options: ReadConfigOptions): Promise<ResolvedConfig> {
  const from = resolve(options.directory ?? process.cwd())
  let dotenv: Variables = {}
  // Before anything can fail: what fails may have a secret in its words.
  learnVariables({ REDIS_URL: options.flags?.redisUrl })
  learnVariables(options.env ?? process.env)
  const prepare = async (directory: string) => {
    dotenv = await readDotenv(directory)
    learnVariables(dotenv)
    if (options.env === undefined) adoptVariables(dotenv)
  }
  const { config: value } = options
  const found =
    value === undefined
      ? await findConfig({ from, file: options.file, prepare })
      : { value, directory: from, file: undefined }
  const { directory, file } = found
  learnSecretsOfConfig(found.value)
  // A config that is no code, or in hand, did not ask for it on the way.
  await prepare(directory)
  const variables = {
    flags: options.flags,
    environment: options.env ?? process.env,
    dotenv,
    file: join(directory, '.env'),
  }
  const environment = parseEnvironment(variables)
  const saidBy = (name: string) => sourceOf(name, variables)
  const config = parseConfig(found.value, file ?? 'the config')
  const roots = config.pluginRoots
  const plugins = await loadPlugins(config.plugins, { directory, file, roots })
  const given = found.value
  const resolved = resolveConfig({ config, given, environment, saidBy, plugins, directory, file })
  await checkSchedules(resolved, file ?? 'the config')
  return resolved
}
