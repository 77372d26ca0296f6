import { z } from 'zod'
import { openStore, type Store } from './broker/open-store.js'
import { type RedisInput, redisSchema } from './broker/redis-settings.js'
import { catalogueDirectory } from './client/catalogue-directory.js'
import { Client } from './client/client.js'
import type { Broker } from './core/broker.js'
import { systemClock } from './core/clock.js'
import { badConfig } from './core/config-issues.js'
import { RedisDistroError } from './core/errors.js'
import { lazily } from './core/lazily.js'
import { learnSecretsOf } from './core/secrets.js'
import { silentLog } from './telemetry/log.js'

export type { EnqueueOptions } from './core/enqueue-options.js'
export type { EnqueuedTask, MoveResult } from './core/enqueuer.js'
export { isRedisDistroError, RedisDistroError } from './core/errors.js'
export type { Task } from './core/task.js'

export interface CreateClientOptions {
  /** As the config's key `redis`; REDIS_URL where no url is given. */
  readonly redis?: RedisInput | undefined
  /** The queue that 'default' means; QUEUE_KEY where left out. */
  readonly defaultQueue?: string | undefined
}

const optionsSchema = z.strictObject({
  redis: redisSchema.prefault({}),
  defaultQueue: z.string().min(1, 'must not be empty').optional(),
})

/** The options as they hold, with REDIS_URL where they name no Redis. */
function parseOptions(options: CreateClientOptions): z.output<typeof optionsSchema> {
  const { redis } = options
  const named = redis?.url || redis?.sentinel || redis?.cluster
  const url = named ? undefined : process.env.REDIS_URL || undefined
  const value = url === undefined ? options : { ...options, redis: { ...redis, url } }
  learnSecretsOf(value)
  const parsed = optionsSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw badConfig('createClient()', { value, schema: optionsSchema }, parsed.error.issues)
}

/** A client that closes its own connection. */
class OwningClient extends Client {
  readonly #leave: () => Promise<void>

  constructor(parts: ConstructorParameters<typeof Client>[0], leave: () => Promise<void>) {
    super(parts)
    this.#leave = leave
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#leave()
  }
}

/**
 * An enqueuer for a service that has no config: types, queues and schemas are read from the
 * catalogue that kernels publish in Redis. It connects when it is first used, and loads no handler.
 * The type of the service's config may be named, as in `createClient<typeof config>()`.
 * @throws RedisDistroError `bad_config` where the options are wrong or no Redis is named
 * @example
 * const client = createClient({ redis: { url: 'redis://localhost:6379' } })
 * await client.enqueue('email', { to: 'a@example.com', subject: 'Hi', body: '…' })
 * await client.close()
 */
export function createClient<_Config = unknown>(options: CreateClientOptions = {}): Client {
  const { redis, defaultQueue } = parseOptions(options)
  if (redis.url === undefined && !redis.sentinel && !redis.cluster) {
    throw new RedisDistroError('bad_config', 'no Redis is named: give redis.url, or set REDIS_URL')
  }
  let store: Promise<Store> | undefined
  const open = () => {
    store ??= openStore({
      redis,
      directory: '.redisdistro',
      production: process.env.NODE_ENV === 'production',
      alone: false,
      log: silentLog,
    }).catch((error: unknown) => {
      // The next call tries anew.
      store = undefined
      throw error
    })
    return store
  }
  const broker = lazily<Broker>(async () => (await open()).broker)
  const real = defaultQueue ?? (process.env.QUEUE_KEY || 'default')
  const realName = (queue: string) => (queue === 'default' ? real : queue)
  const directory = catalogueDirectory({ broker, clock: systemClock, realName })
  const leave = async () => (await store?.catch(() => undefined))?.close()
  return new OwningClient({ broker, directory, clock: systemClock }, leave)
}
