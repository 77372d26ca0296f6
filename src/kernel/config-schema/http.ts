import { z } from 'zod'
import { deepest } from '../../client/json-copy.js'
import { durationSchema } from '../../core/duration.js'

const tokens = z
  .union([z.string(), z.array(z.string().min(1))])
  .transform((value) => (typeof value === 'string' ? splitTokens(value) : value))
  .default([])

/** Tokens from one text, several by comma; an empty text is none. */
export function splitTokens(text: string): string[] {
  return text
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '')
}

const port = z.int().min(0).max(65_535)

const rateLimitSchema = z.strictObject({
  max: z.int().min(1).describe('Requests of one caller in each window.'),
  window: durationSchema.prefault('1m').describe('Length of the window.'),
})

const adminSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  port: port.describe('Port to listen on.'),
})

const httpObject = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on; any other than loopback needs an API token.'),
  port: port.default(3000).describe('Port to listen on; 0 takes a free one.'),
  tokens: z
    .strictObject({
      api: tokens.describe('Open every route.'),
      enqueue: tokens.describe("Open the enqueue routes and reading one's task."),
      read: tokens.describe('Open every GET.'),
    })
    .prefault({})
    .describe('Bearer tokens; several for rotation.'),
  bodyLimit: z
    .int()
    .min(1)
    .default(1024 * 1024)
    .describe('Bytes of a request at most.'),
  payload: z
    .strictObject({
      maxDepth: z
        .int()
        .min(1)
        .max(deepest, `must be at most ${deepest}`)
        .default(64)
        .describe('Levels that a payload may nest.'),
      maxValues: z.int().min(1).default(10_000).describe('Values that a payload may hold, in all.'),
    })
    .prefault({})
    .describe('How much a payload may be.'),
  requestTimeout: durationSchema
    .pipe(z.number().min(100, 'must be at least 100ms'))
    .prefault('10s')
    .describe('A request must be received within this; how long its answer takes is not counted.'),
  rateLimit: z
    .union([z.literal(false), rateLimitSchema], 'must be false or { max, window }')
    .default(false)
    .describe('How many requests one caller may make; off.'),
  trustProxy: z
    .union([z.boolean(), z.string().min(1), z.array(z.string().min(1))])
    .default(false)
    .describe('Whose X-Forwarded-* headers are believed: true, or addresses.'),
  admin: z
    .union([z.literal(false), adminSchema], 'must be false or { host, port }')
    .default(false)
    .describe('A second port that serves only /health, /ready and /metrics, without a token.'),
})

/** The config's key `http`: the API's server, or `false` for none. */
export const httpSchema = z
  .union([z.literal(false), httpObject], 'must be an object, or false for no server')
  .prefault({})

/** The server's settings with their defaults; durations in ms. */
export type HttpSettings = z.output<typeof httpObject>
