import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import dotenv from 'dotenv'
import { z } from 'zod'
import { redisUrlSchema } from '../broker/redis-settings.js'
import { badConfig } from '../core/config-issues.js'
import { idPattern } from '../core/enqueue-options.js'
import { RedisDistroError } from '../core/errors.js'
import { splitTokens } from './config-schema/http.js'

/** Variables as a process has them. */
export type Variables = Readonly<Record<string, string | undefined>>

const name = z.string().regex(idPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -').optional()
const tokens = z.string().transform(splitTokens).optional()

/** The variables that the kernel reads; those of plugins are the plugins' own. */
const environmentSchema = z.object({
  REDIS_URL: redisUrlSchema.optional(),
  QUEUE_KEY: name,
  DEAD_KEY: name,
  HOST: z.string().optional(),
  PORT: z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'must be 0 to 65535')
    .transform(Number)
    .optional(),
  API_TOKEN: tokens,
  ENQUEUE_TOKEN: tokens,
  READ_TOKEN: tokens,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_ENV: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
})

/** The checked variables, under their own names; an empty one is undefined. */
export type Environment = z.output<typeof environmentSchema>

/** What a command line says over the environment. */
export interface Flags {
  readonly redisUrl?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | number | undefined
  readonly logLevel?: string | undefined
}

const isSet = (entry: [string, string | undefined]): entry is [string, string] =>
  entry[1] !== undefined && entry[1] !== ''

/** The variables of `<directory>/.env` that are set to something; none where it is missing. */
export async function readDotenv(directory: string): Promise<Variables> {
  const path = join(directory, '.env')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {}
    throw new RedisDistroError('bad_config', `${path} cannot be read: ${String(cause)}`, { cause })
  }
  return Object.fromEntries(Object.entries(dotenv.parse(text)).filter(isSet))
}

/** The environment over the `.env` file; what is empty does not count. */
const mergeVariables = (environment: Variables, file: Variables): Variables => ({
  ...file,
  ...Object.fromEntries(Object.entries(environment).filter(isSet)),
})

/** Puts what only the file sets into the process, for configs and plugins read it there. */
export function adoptVariables(file: Variables): void {
  for (const [key, value] of Object.entries(file)) {
    if (value && !process.env[key]) process.env[key] = value
  }
}

/** The flags as the variables that they stand over. */
function asVariables({ redisUrl, host, port, logLevel }: Flags): Variables {
  return { REDIS_URL: redisUrl, HOST: host, PORT: port?.toString(), LOG_LEVEL: logLevel }
}

/** The flags that stand over variables, by the variable's name. */
const flagNames: Variables = {
  REDIS_URL: '--redis-url',
  HOST: '--host',
  PORT: '--port',
  LOG_LEVEL: '--log-level',
}

/** Where variables come from, the first that has one wins; `file` is the path of `.env`. */
export interface VariableSources {
  readonly flags?: Flags | undefined
  readonly environment: Variables
  readonly dotenv?: Variables | undefined
  readonly file?: string | undefined
}

type Origin = 'command line' | 'environment' | '.env'

/** undefined where nobody set it. */
function originOf(
  name: string,
  { flags = {}, environment, dotenv = {} }: VariableSources,
): Origin | undefined {
  if (asVariables(flags)[name]) return 'command line'
  // What `adoptVariables` took from the file is in the environment as well.
  if (environment[name] && environment[name] !== dotenv[name]) return 'environment'
  return dotenv[name] ? '.env' : undefined
}

/** Where the value of a variable came from, as `config print` says it. */
export function sourceOf(name: string, sources: VariableSources): string {
  const origin = originOf(name, sources) ?? 'default'
  return origin === 'environment' || origin === '.env' ? `${origin} ${name}` : origin
}

/**
 * Checks the variables, those that flags stand over included.
 * @throws RedisDistroError `bad_config` that names each flag or variable that cannot be used, and
 * where it was set
 */
export function parseEnvironment(sources: VariableSources): Environment {
  const { flags = {}, environment, dotenv = {}, file = '.env' } = sources
  const merged = mergeVariables(asVariables(flags), mergeVariables(environment, dotenv))
  const value = Object.fromEntries(Object.entries(merged).filter(isSet))
  const parsed = environmentSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => {
    const variable = String(issue.path[0])
    const origin = originOf(variable, sources)
    const place = origin === '.env' ? file : `the ${origin}`
    const name = origin === 'command line' ? (flagNames[variable] ?? variable) : variable
    const error = badConfig(place, { value, schema: environmentSchema }, [issue])
    const message = error.message.replace(`  ${variable}: `, `  ${name}: `)
    return { message, issues: error.issues.map(({ message }) => ({ path: name, message })) }
  })
  throw new RedisDistroError('bad_config', errors.map(({ message }) => message).join('\n'), {
    issues: errors.flatMap(({ issues }) => issues),
  })
}
