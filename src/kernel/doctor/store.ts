import type { SentinelFacts, ServerFacts } from '../../broker/diagnosis/facts.js'
import { askSentinels, diagnose } from '../../broker/diagnosis/index.js'
import { findGround, type Ground } from '../../broker/open-store.js'
import { createRedisBroker } from '../../broker/redis-broker.js'
import { durabilityOf } from '../../broker/redis-settings.js'
import type { Broker } from '../../core/broker.js'
import { silentLog } from '../../telemetry/log.js'
import { type ResolvedConfig, runDirectory } from '../resolved-config.js'
import { withSource } from '../sources.js'
import { type Finding, finding, wordsOf } from './checks.js'
import { judgeEviction, judgeMemory, judgeRetention } from './memory.js'
import { judgePersistence } from './persistence.js'
import { checkDisk } from './plugins.js'
import { judgeLeft, judgeQueues, lookForLeft, lookIntoQueues } from './queues.js'
import {
  judgeClock,
  judgeDurability,
  judgeLatency,
  judgeRights,
  judgeRole,
  judgeVersion,
} from './server.js'
import { judgeCluster, judgeReplicas, judgeSentinels } from './topology.js'

/** Where the store is refused or away; its message says more than the code. */
function refused(error: unknown, config: ResolvedConfig): Finding {
  const found = wordsOf(withSource(error, config, ['redis.url']))
  const todo = 'do as it says, or mend REDIS_URL and the key redis of the config'
  return finding('store', 'danger', { found, todo })
}

function judgeServer(facts: ServerFacts, ground: Ground, config: ResolvedConfig): Finding[] {
  const failsOver = config.redis.sentinel !== undefined || config.redis.cluster !== undefined
  return [
    ...judgeVersion(facts),
    ...judgeRole(facts),
    ...judgePersistence(facts),
    ...judgeEviction(facts, config),
    ...judgeMemory(facts),
    ...(ground.kind === 'embedded' ? [] : judgeReplicas(facts, failsOver)),
    ...judgeDurability(facts, config),
    ...judgeRights(facts, config),
    ...judgeClock(facts),
    ...judgeLatency(facts, config),
  ]
}

/** What is looked at, by what it is called for people. */
interface Place<G extends Ground = Ground> {
  readonly ground: G
  readonly says: string
  readonly config: ResolvedConfig
}

type Reachable = Ground & {
  readonly connection: Exclude<Ground['connection'], { memory: string }>
}

const isReachable = (ground: Ground): ground is Reachable => !('memory' in ground.connection)

/** What is known of the servers themselves. */
async function checkServers({ ground, says, config }: Place<Reachable>): Promise<Finding[]> {
  const { prefix, commandTimeout } = config.redis
  const asked = durabilityOf(config.redis)
  const durability = asked && ground.kind === 'embedded' ? { ...asked, ours: true } : asked
  const { connection } = ground
  const found = await diagnose({ connection, prefix, commandTimeout, durability, says })
  return [
    ...judgeCluster(found, config),
    ...found.servers.flatMap((facts) => judgeServer(facts, ground, config)),
    ...judgeRetention(found.servers, config),
  ]
}

async function checkSentinels({ ground, config }: Place): Promise<Finding[]> {
  const { connection } = ground
  if (!('sentinel' in connection)) return []
  const found: SentinelFacts[] = await askSentinels(connection, config.redis.commandTimeout)
  return judgeSentinels(found, config)
}

const means = {
  redis: '',
  embedded: ', which this machine shares and none other: set REDIS_URL for more than one',
  'in-process': '',
} as const

/** Opens the store as a kernel does, and looks at what lies in it. */
async function checkTasks(broker: Broker, { ground, says, config }: Place): Promise<Finding[]> {
  await broker.open()
  const queues = await lookIntoQueues(broker, config.queues)
  const left = await lookForLeft(broker, config.queues)
  const found = `tasks lie in ${says}${means[ground.kind]}`
  return [finding('store', 'ok', { found }), ...judgeQueues(queues), ...judgeLeft(left)]
}

/** The one failure that is told where several came of the same. */
function gather(parts: readonly PromiseSettledResult<Finding[]>[], config: ResolvedConfig) {
  const found = parts.flatMap((part) => (part.status === 'fulfilled' ? part.value : []))
  const failed = parts.find((part) => part.status === 'rejected')
  return failed === undefined ? found : [refused(failed.reason, config), ...found]
}

async function checkGround(ground: Ground, config: ResolvedConfig): Promise<Finding[]> {
  if (!isReachable(ground)) {
    const todo = 'set REDIS_URL (redis://host:6379), or install redis-server'
    return [finding('store', 'danger', { found: `tasks lie in ${ground.says}`, todo })]
  }
  const { prefix, commandTimeout, allowEviction } = config.redis
  const { connection } = ground
  const options = { connection, prefix, commandTimeout, allowEviction, log: silentLog }
  const broker = createRedisBroker(options)
  const place = { ground, says: ground.says ?? broker.says, config }
  try {
    const parts = [
      checkServers(place),
      checkSentinels(place),
      checkTasks(broker, place),
      ...(ground.kind === 'embedded' ? [checkDisk(runDirectory(config))] : []),
    ]
    return gather(await Promise.allSettled(parts), config)
  } finally {
    await broker.close()
  }
}

/**
 * All that there is to say of the store: its servers, sentinels, and what lies in it. One that is away
 * or refused is said to be so, and the rest is told as far as it can be.
 */
export async function checkStore(config: ResolvedConfig): Promise<Finding[]> {
  const { redis, production } = config
  let ground: Ground
  try {
    const directory = runDirectory(config)
    ground = await findGround({ redis, production, directory, alone: true })
  } catch (error) {
    return [refused(error, config)]
  }
  try {
    return await checkGround(ground, config)
  } finally {
    await ground.release()
  }
}
