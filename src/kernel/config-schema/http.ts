import { z } from 'zod'
import { deepest } from '../../client/json-copy.js'
import { durationSchema } from '../../core/duration.js'
import { trustedProxies } from './trusted-proxies.js'

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

const rateLimitSchema = z
  .strictObject({
    max: z
      .int()
      .min(1)
      .optional()
      .describe('Requests of one address in each window, counted before a token is looked at.'),
    maxPerToken: z
      .int()
      .min(1)
      .optional()
      .describe('Requests by one token in each window, from wherever they come.'),
    window: durationSchema
      .pipe(z.number().min(100, 'must be at least 100ms'))
      .prefault('1m')
      .describe('Length of the window.'),
    callers: z
      .int()
      .min(1)
      .default(10_000)
      .describe('Addresses that are remembered at most; the one unseen for longest goes first.'),
  })
  .refine(
    ({ max, maxPerToken }) => max !== undefined || maxPerToken !== undefined,
    'needs max, maxPerToken or both',
  )

const originMessage =
  "must be an origin and no more, such as 'https://app.example.com'; `*` and `null` are not taken"

/** Whether a text is the very Origin header of a page. */
function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false
  return new URL(text).origin === text
}

const corsSchema = z.strictObject({
  origins: z
    .array(z.string().refine(isOrigin, originMessage))
    .min(1, 'must name at least one')
    .describe('Pages that may call the API from a browser.'),
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
  batchLimit: z.int().min(1).max(100_000).default(10_000).describe('Tasks of a batch at most.'),
  headerLimit: z
    .int()
    .min(1024, 'must be at least 1024')
    .max(1024 * 1024)
    .default(16 * 1024)
    .describe("Bytes of a request's address and headers at most, together."),
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
  stallTimeout: durationSchema
    .pipe(z.number().min(100, 'must be at least 100ms'))
    .prefault('30s')
    .describe('A client that takes nothing of a long answer for this long is cut off.'),
  keepAliveTimeout: durationSchema
    .pipe(z.number().min(100, 'must be at least 100ms'))
    .prefault('72s')
    .describe('A connection without a request is closed after this.'),
  maxConnections: z
    .int()
    .min(1)
    .default(2_000)
    .describe('Connections at a time; one more is closed at once.'),
  maxListeners: z
    .int()
    .min(1)
    .default(100)
    .describe('Listeners to `GET /events` at a time; one more is 503.'),
  rateLimit: z
    .union(
      [z.literal(false), rateLimitSchema],
      'must be false or { max?, maxPerToken?, window?, callers? }',
    )
    .default(false)
    .describe('How many requests one caller may make; off.'),
  cors: z
    .union([z.literal(false), corsSchema], 'must be false or { origins }')
    .default(false)
    .describe("Other sites' pages that may call the API; off."),
  trustProxy: trustedProxies
    .default(false)
    .describe("Whose X-Forwarded-* headers are believed: true, addresses, ranges or 'loopback'."),
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
