import type { Broker } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { findRedisServer, startEmbedded } from './embedded/index.js'
import type { BrokerOptions, ConnectionSettings, Durability } from './index.js'
import { createRedisBroker } from './redis-broker.js'
import { connectionOf, durabilityOf, type RedisSettings } from './redis-settings.js'

/** An open broker, and what it stands on. */
export interface Store {
  readonly broker: Broker
  readonly kind: 'redis' | 'embedded' | 'in-process'
  /** For people: what the tasks lie in, without secrets. */
  readonly says: string
  /** Closes the broker and gives the embedded server up. */
  close(): Promise<void>
}

export interface StoreOptions {
  readonly redis: RedisSettings
  /** Absolute path of the folder for things made at run time. */
  readonly directory: string
  readonly production: boolean
  /** Whether a store of this process alone will do, since both roles run here. */
  readonly alone: boolean
  readonly log: BrokerOptions['log']
  readonly clock?: Clock | undefined
}

/** What an open broker would stand on. */
export interface Ground {
  readonly kind: Store['kind']
  readonly connection: ConnectionSettings
  readonly says?: string
  release(): Promise<void>
}

const nothing = async () => undefined

/** The stand-ins give what they can. @throws RedisDistroError `unsafe_redis` where that is not enough */
function refuseStandIn(durability: Durability | undefined, kind: Store['kind']): void {
  if (durability === undefined || (kind === 'embedded' && durability.kind === 'fsync')) return
  const why = kind === 'embedded' ? 'has no replicas' : 'keeps nothing'
  throw new RedisDistroError(
    'unsafe_redis',
    `redis.durability is '${durability.kind}', and the ${kind} store, which serves where no Redis is ` +
      `named, ${why}: set REDIS_URL (redis://host:6379), or durability to 'async'`,
  )
}

/**
 * What the tasks shall lie in: the Redis of the settings, the embedded one, which is started, or this
 * process.
 * @throws RedisDistroError `no_store`, or `unsafe_redis` where the stand-in gives too little
 */
export async function findGround(options: Omit<StoreOptions, 'log' | 'clock'>): Promise<Ground> {
  const connection = connectionOf(options.redis)
  if (connection) return { kind: 'redis', connection, release: nothing }
  if (options.production && options.redis.url !== 'embedded') {
    throw new RedisDistroError(
      'no_store',
      'NODE_ENV is production and no Redis is set: set REDIS_URL (redis://host:6379), ' +
        'or REDIS_URL=embedded to ask for the embedded store.',
    )
  }
  const { directory } = options
  const durability = durabilityOf(options.redis)
  const program = await findRedisServer()
  if (program !== undefined) {
    refuseStandIn(durability, 'embedded')
    const redis = await startEmbedded({ directory, program })
    const says = `an embedded redis-server ${redis.version} with its data in ${redis.directory}`
    const release = () => redis.release()
    return { kind: 'embedded', connection: { url: redis.url }, says, release }
  }
  if (!options.alone) {
    throw new RedisDistroError(
      'no_store',
      'No REDIS_URL is set and no redis-server program was found, so that processes cannot share ' +
        'a store: set REDIS_URL (redis://host:6379), install redis-server, or run both roles in ' +
        'one process (npm start).',
    )
  }
  refuseStandIn(durability, 'in-process')
  const says =
    'an in-process store, since REDIS_URL is not set and no redis-server program was found: ' +
    'nothing survives a restart and it serves this process only'
  return { kind: 'in-process', connection: { memory: directory }, says, release: nothing }
}

/**
 * Opens the store that the settings ask for.
 * @throws RedisDistroError `no_store` where nothing may serve, `store_away`, `unsafe_redis`
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const ground = await findGround(options)
  const { prefix, commandTimeout, allowEviction } = options.redis
  const { connection } = ground
  const { log, clock } = options
  const asked = durabilityOf(options.redis)
  const durability = asked && ground.kind === 'embedded' ? { ...asked, ours: true } : asked
  const rest = { prefix, commandTimeout, allowEviction, durability, log, clock }
  try {
    const broker = createRedisBroker({ connection, ...rest })
    try {
      await broker.open()
    } catch (error) {
      await broker.close()
      throw error
    }
    const close = async () => {
      await broker.close()
      await ground.release()
    }
    return { broker, kind: ground.kind, says: ground.says ?? broker.says, close }
  } catch (error) {
    await ground.release()
    throw error
  }
}
