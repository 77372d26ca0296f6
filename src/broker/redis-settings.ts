import { z } from 'zod'
import { durationSchema } from '../core/duration.js'
import type { ConnectionSettings, Durability } from './index.js'

const node = (port: number) =>
  z.strictObject({
    host: z.string().min(1).describe('Name or address.'),
    port: z.int().min(1).max(65_535).default(port).describe('Port.'),
  })

const username = z.string().min(1).optional().describe('User of the ACL.')
const password = z.string().min(1).optional().describe('Password; best taken from the environment.')

const sentinelSchema = z.strictObject({
  name: z.string().min(1).describe('Name of the master, as Sentinel knows it.'),
  nodes: z.array(node(26_379)).min(1).describe('The sentinels.'),
  username,
  password,
  sentinelPassword: password.describe('Password of the sentinels themselves.'),
  db: z.int().min(0).optional().describe('Number of the database.'),
})

const clusterSchema = z.strictObject({
  nodes: z.array(node(6379)).min(1).describe('Some of its nodes; the others are found by them.'),
  username,
  password,
})

const tlsSchema = z.strictObject({
  ca: z.string().optional().describe('PEM of the authorities to trust.'),
  cert: z.string().optional().describe('PEM of the certificate to show.'),
  key: z.string().optional().describe('PEM of its key.'),
  servername: z.string().optional().describe('Name that the certificate must have.'),
  rejectUnauthorized: z.boolean().optional().describe('false trusts anyone: for tests alone.'),
})

/** A `redis://` or `rediss://` URL with a host, or the word that asks for the stand-in. */
export const redisUrlSchema = z
  .string()
  .refine((url) => url === 'embedded' || (/^rediss?:\/\/./.test(url) && URL.canParse(url)), {
    error: "must be a redis:// or rediss:// URL, or 'embedded'",
  })

/** The config's key `redis`: where the tasks are stored, and how it is reached. */
export const redisSchema = z
  .strictObject({
    url: z
      .preprocess((value) => (value === '' ? undefined : value), redisUrlSchema.optional())
      .describe("URL of one Redis, or 'embedded'; left out, the embedded store."),
    sentinel: sentinelSchema.optional().describe('A Redis behind Sentinel.'),
    cluster: clusterSchema.optional().describe('A Redis Cluster.'),
    tls: tlsSchema
      .optional()
      .describe('TLS, with sentinels too; {} is enough where the system trusts the server.'),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -')
      .default('rd')
      .describe('First part of every key.'),
    durability: z
      .enum(['async', 'fsync', 'replicated'])
      .default('async')
      .describe(
        'What an enqueue waits for: async, the answer of the server that took it; fsync, until its ' +
          'append-only file is on disk; replicated, until replicas have it too.',
      ),
    replicas: z
      .int()
      .min(1)
      .default(1)
      .describe("How many replicas must have it, where durability is 'replicated'."),
    // Below a second, for an API answers within one that Redis is away.
    commandTimeout: durationSchema
      .pipe(z.number().min(50, 'must be at least 50ms'))
      .prefault('900ms')
      .describe('Every call to Redis settles within this.'),
    allowEviction: z
      .boolean()
      .default(false)
      .describe('Start although the server may evict keys, and so lose tasks.'),
  })
  .superRefine((redis, context) => {
    const given = (['url', 'sentinel', 'cluster'] as const).filter((key) => redis[key])
    if (given.length < 2) return
    const message = `${given.join(' and ')} are both given; give one of them`
    context.addIssue({ code: 'custom', path: [], message })
  })

export type RedisInput = z.input<typeof redisSchema>
/** The key `redis` with its defaults; durations in ms. */
export type RedisSettings = z.output<typeof redisSchema>

/** The connection that the settings ask for; undefined where it is the embedded store. */
export function connectionOf(redis: RedisSettings): ConnectionSettings | undefined {
  const tls = redis.tls ? { tls: redis.tls } : {}
  if (redis.sentinel) return { sentinel: redis.sentinel, ...tls }
  if (redis.cluster) return { cluster: redis.cluster, ...tls }
  if (redis.url === undefined || redis.url === 'embedded') return undefined
  return { url: redis.url, ...tls }
}

/** What an enqueue waits for; undefined where the server's answer is enough. */
export function durabilityOf({ durability, replicas }: RedisSettings): Durability | undefined {
  if (durability === 'async') return undefined
  return durability === 'fsync' ? { kind: durability } : { kind: durability, replicas }
}
