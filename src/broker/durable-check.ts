import type { Redis } from 'ioredis'
import { RedisDistroError } from '../core/errors.js'
import {
  askFileSettings,
  byAnswer,
  byReplicas,
  byWaitAof,
  type FileSettings,
  type Proof,
  readFileSettings,
} from './durability.js'
import type { Durability } from './index.js'
import { readServer, type Server } from './server.js'

/** What is asked of a server, and by whom. */
export interface Asked {
  readonly durability: Durability
  /** ms within which every call settles. */
  readonly commandTimeout: number
  readonly says: string
  /** True where the file was found not to be kept, or not to be synced, since it was last in order. */
  readonly wasOff: boolean
}

/** How a server proves what is asked. */
export interface Way {
  readonly proof: Proof
  /** undefined where the server does not tell. */
  readonly server: Server | undefined
  readonly warnings: readonly string[]
}

/** A file that is synced each second may be a second behind, and the disk takes its time too. */
const leastForEverySecond = 1500

const tell = (node: Redis, [name, ...args]: readonly [string, ...(string | number)[]]) =>
  node.call(name, ...args)

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
const isForbidden = (error: unknown) => wordsOf(error).startsWith('NOPERM')
const isUnknown = (error: unknown) => /unknown command/i.test(wordsOf(error))
const unsafe = (words: string) => new RedisDistroError('unsafe_redis', words)

const forbids = (says: string, right: string) =>
  unsafe(`the user for ${says} may not do what redis.durability needs: give it ${right}`)

async function serverOf(node: Redis): Promise<Server | undefined> {
  try {
    return readServer(await node.info())
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

async function fileSettingsOf(node: Redis): Promise<FileSettings | undefined> {
  try {
    return readFileSettings(await tell(node, askFileSettings))
  } catch (error) {
    if (isForbidden(error) || isUnknown(error)) return undefined
    throw error
  }
}

async function ofReplicas(node: Redis, replicas: number, { says }: Asked) {
  const proof = byReplicas(replicas)
  try {
    const found = Number(await tell(node, proof.command(1)))
    if (found >= replicas) return { proof, warnings: [] }
    const words =
      `${says} has ${found} replicas that follow, and redis.durability waits for ${replicas}: ` +
      'until they follow, no enqueue is acknowledged'
    return { proof, warnings: [words] }
  } catch (error) {
    if (isForbidden(error)) throw forbids(says, '+wait')
    // A replica cannot wait for replicas; that it is one is said elsewhere.
    if (wordsOf(error).includes('replica')) return { proof, warnings: [] }
    throw error
  }
}

async function knowsWaitAof(node: Redis, says: string): Promise<boolean> {
  try {
    await tell(node, byWaitAof.command(1))
    return true
  } catch (error) {
    if (isForbidden(error)) throw forbids(says, '+waitaof')
    if (isUnknown(error)) return false
    if (wordsOf(error).includes('replica')) return true
    throw error
  }
}

const noFile = (says: string) =>
  unsafe(
    `${says} keeps no append-only file, and redis.durability is 'fsync': set appendonly yes ` +
      "in its redis.conf (and redis-cli config set appendonly yes), or durability to 'async'",
  )

/**
 * Redis before 8, and Valkey, may say that a file is synced which is not yet, where it is synced each
 * second: there only 'always' is believed, and the answer itself is the proof.
 */
async function ofFile(node: Redis, server: Server | undefined, asked: Asked) {
  const { says, commandTimeout, durability } = asked
  if (durability.kind === 'fsync' && durability.ours) {
    await node.config('SET', 'appendfsync', 'always')
  }
  if (server?.appendOnly === false) throw noFile(says)
  const settings = await fileSettingsOf(node)
  if (settings?.appendonly === 'no') throw noFile(says)
  if (server?.firstFile || (asked.wasOff && server?.rewriting)) {
    throw unsafe(
      `${says} is still writing its first append-only file, and a restart before that is done ` +
        'reads nothing of it: wait for it (aof_rewrite_in_progress of INFO persistence)',
    )
  }
  const fsync = settings?.appendfsync
  const always = 'set appendfsync always (redis-cli config set appendfsync always)'
  if (!server?.honestWaitAof || !(await knowsWaitAof(node, says))) {
    if (settings?.unsyncedOnRewrite) {
      throw unsafe(
        `${says} does not sync its append-only file while it writes it anew, and ` +
          "redis.durability is 'fsync': set no-appendfsync-on-rewrite no " +
          '(redis-cli config set no-appendfsync-on-rewrite no)',
      )
    }
    if (fsync === 'always') return { proof: byAnswer, warnings: [] }
    if (settings === undefined) throw forbids(says, '+config|get, and appendfsync always')
    throw unsafe(
      `${says} cannot say for certain when its append-only file is on disk (Redis 8 can), and ` +
        `redis.durability is 'fsync': ${always}, or durability to 'async'`,
    )
  }
  if (fsync === 'no') {
    throw unsafe(`${says} leaves it to the system when its file is on disk: ${always}`)
  }
  if (fsync === 'always' || commandTimeout >= leastForEverySecond) {
    return { proof: byWaitAof, warnings: [] }
  }
  const words =
    `redis.commandTimeout is ${commandTimeout} ms: ${always}, or commandTimeout to ` +
    `${leastForEverySecond} ms or more`
  if (fsync !== undefined) {
    throw unsafe(`${says} syncs its append-only file once in a second, and ${words}`)
  }
  const perhaps = `${says} may sync its append-only file once in a second only, and ${words}`
  return { proof: byWaitAof, warnings: [perhaps] }
}

/**
 * Finds how a server proves the durability that is asked.
 * @throws RedisDistroError `unsafe_redis` where it cannot, with what to do
 */
export async function findWay(node: Redis, asked: Asked): Promise<Way> {
  const { durability } = asked
  const server = await serverOf(node)
  const found =
    durability.kind === 'replicated'
      ? await ofReplicas(node, durability.replicas, asked)
      : await ofFile(node, server, asked)
  return { ...found, server }
}
