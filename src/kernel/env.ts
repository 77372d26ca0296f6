import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import dotenv from 'dotenv'
import { z } from 'zod'
import { redisUrlSchema } from '../broker/redis-settings.js'
import { idPattern } from '../core/enqueue-options.js'
import { RedisDistroError } from '../core/errors.js'
import { badConfig } from './config-issues.js'
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
export const mergeVariables = (environment: Variables, file: Variables): Variables => ({
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
export function asVariables({ redisUrl, host, port, logLevel }: Flags): Variables {
  return { REDIS_URL: redisUrl, HOST: host, PORT: port?.toString(), LOG_LEVEL: logLevel }
}

/**
 * Checks the variables, those that flags stand over included.
 * @throws RedisDistroError `bad_config` that names each variable that cannot be used
 */
export function parseEnvironment(variables: Variables, flags: Flags = {}): Environment {
  const merged = mergeVariables(asVariables(flags), variables)
  const value = Object.fromEntries(Object.entries(merged).filter(isSet))
  const parsed = environmentSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  throw badConfig('the environment', { value, schema: environmentSchema }, issues)
}
