import { Cluster, type Redis } from 'ioredis'
import { RedisDistroError } from '../../core/errors.js'
import { within } from '../../core/within.js'
import { isRefusedSelect } from '../break-off.js'
import type { ConnectionSettings } from '../index.js'
import { openConnection } from '../ioredis.js'
import type { SentinelFacts, StoreFacts } from './facts.js'
import { askServer, fieldsOf, type ServerQuestions } from './server-facts.js'

/** ms for a server to be reached. */
const toReach = 2500
/** ms that one server has after its first error: it may be on its way back. */
const afterError = 300

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export interface Questions extends ServerQuestions {
  readonly connection: Exclude<ConnectionSettings, { memory: string }>
  /** Where the connection leads, for people. */
  readonly says: string
}

/** Lends a connection that is ready, and ends it. @throws RedisDistroError `store_away` with the reason */
async function withConnection<Answer>(
  {
    connection: settings,
    commandTimeout,
    says,
  }: Omit<Questions, keyof ServerQuestions> & Pick<ServerQuestions, 'commandTimeout'>,
  use: (connection: Redis | Cluster) => Promise<Answer>,
): Promise<Answer> {
  const connection = openConnection(settings, { name: 'redisdistro-doctor', commandTimeout })
  let reason: Error | undefined
  const settled = new Promise<'ready' | 'failed'>((resolve) => {
    connection.once('ready', () => resolve('ready'))
    connection.on('error', (error: Error) => {
      reason = error
      // Of several servers another one may answer.
      if ('url' in settings) setTimeout(() => resolve('failed'), afterError)
    })
  })
  connection.connect().catch(() => undefined)
  try {
    if ((await within(toReach, settled)) !== 'ready') {
      const words = reason ? reason.message : `no answer within ${toReach} ms`
      throw new RedisDistroError('store_away', `${says} cannot be reached: ${words}`)
    }
    if (reason && isRefusedSelect(reason)) {
      const words = `the database of ${says} cannot be used: ${reason.message}`
      throw new RedisDistroError('unsafe_redis', words)
    }
    return await use(connection)
  } finally {
    connection.disconnect()
  }
}

async function clusterOf(node: Redis | undefined): Promise<Readonly<Record<string, string>>> {
  if (node === undefined) return { cluster_state: 'unknown: no master answers' }
  return await node.call('CLUSTER', 'INFO').then(
    (report) => fieldsOf(String(report)),
    (error: unknown) => ({ cluster_state: `unknown: ${wordsOf(error)}` }),
  )
}

/**
 * Asks what a connection leads to, each master of a cluster side by side. Nothing is changed but by
 * `durability.ours`, as whoever opens that store does.
 * @throws RedisDistroError `store_away` with the reason, `unsafe_redis`
 */
export async function diagnose(questions: Questions): Promise<StoreFacts> {
  try {
    return await withConnection(questions, async (connection) => {
      if (!(connection instanceof Cluster)) {
        return { servers: [await askServer(connection, questions)], cluster: undefined }
      }
      const masters = connection.nodes('master')
      const [cluster, ...servers] = await Promise.all([
        clusterOf(masters[0]),
        ...masters.map((node) => askServer(node, questions)),
      ])
      return { servers, cluster }
    })
  } catch (error) {
    if (error instanceof RedisDistroError) throw error
    const words = `${questions.says} was reached, but did not answer: ${wordsOf(error)}`
    throw new RedisDistroError('store_away', words, { cause: error })
  }
}

type SentinelConnection = Extract<ConnectionSettings, { sentinel: unknown }>

async function askSentinel(
  { host, port }: { readonly host: string; readonly port: number },
  { sentinel, tls }: SentinelConnection,
  commandTimeout: number,
): Promise<SentinelFacts> {
  const says = `${host}:${port}`
  const password = sentinel.sentinelPassword
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  const url = `${tls ? 'rediss' : 'redis'}://${login}${host.includes(':') ? `[${host}]` : host}:${port}`
  const connection = { url, ...(tls ? { tls } : {}) }
  const found = await withConnection({ connection, commandTimeout, says }, async (node) => {
    const answer = node.call('SENTINEL', 'CKQUORUM', sentinel.name)
    return await answer.then(String, (error: unknown) => wordsOf(error))
  }).then(
    (quorum) => ({ quorum, failure: undefined }),
    (error: unknown) => ({ quorum: undefined, failure: wordsOf(error) }),
  )
  return { says, ...found }
}

/** Asks each sentinel whether it is there, and enough others to replace a master that died. */
export const askSentinels = (
  connection: SentinelConnection,
  commandTimeout: number,
): Promise<SentinelFacts[]> =>
  Promise.all(
    connection.sentinel.nodes.map((node) => askSentinel(node, connection, commandTimeout)),
  )
