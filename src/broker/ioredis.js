import { Cluster, Redis } from 'ioredis'
import { breakOff, keepToDatabase, mustBecomeReady } from './break-off.js'
import { endOnlyByWord } from './end-by-word.js'
import { retryStrategyOfMany, sentinelOptions } from './sentinel-connector.js'
import { hearEveryError } from './socket-errors.js'

/**
 * Opens connections to Redis. Plain JavaScript, since the lease thread runs it as it is.
 *
 * A command that cannot be sent fails at once, and one whose answer was lost is never sent again by
 * the client library: both would leave a task leased or enqueued that nobody knows of.
 */

/** ioredis's words for a call whose connection has ended, or never was. */
const closed = 'Connection is closed.'
const answerLost = () => new Error(`${closed} Its answer is lost.`)
const timedOut = (/** @type {Error} */ error) => error.message === 'Command timed out'

/**
 * Timed out, and rejected as soon as the socket has been read.
 * @type {WeakSet<import('ioredis').Command>}
 */
const late = new WeakSet()

/**
 * An answer may lie in the socket behind a loop that was busy: it is read before a timeout counts.
 * @param {import('ioredis').Command} command
 * @param {(error: Error) => void} reject
 */
function rejectWith(command, reject) {
  command.reject = (error) => {
    if (!timedOut(error)) return reject(error)
    late.add(command)
    setImmediate(() => {
      if (!command.isSettled) reject(error)
    })
  }
}

/**
 * How long to wait before the next try to connect, in ms. Short, since work stands still, for the
 * first minute of an absence and more.
 */
const retryStrategy = (/** @type {number} */ tries) => (tries <= 1000 ? 50 : 250)

/**
 * For a connection to come about, in ms. Also how old a try gets at most that fell into a gap of the
 * network: TCP repeats its first packet after a second, and then after two more.
 */
const connectTimeout = 2000

/**
 * What a connection took ends with it. ioredis would leave those calls to their timeouts, by which
 * a new and healthy connection stands. One that leaves a call unanswered may be half-open: it is
 * given up, for a new one.
 * @param {Redis} redis
 */
function endWithConnection(redis) {
  mustBecomeReady(keepToDatabase(hearEveryError(redis)), connectTimeout)
  /**
   * In the order sent. Not a Set: what passes through one lives until a full collection.
   * @type {import('ioredis').Command[]}
   */
  const sent = []
  const forget = () => {
    while (sent[0]?.isSettled) sent.shift()
  }
  const send = redis.sendCommand
  redis.sendCommand = (command, stream) => {
    if (redis.status === 'ready') {
      const via = redis.stream
      sent.push(command)
      rejectWith(command, command.reject)
      command.promise.then(forget, (error) => {
        forget()
        if (timedOut(error) && redis.stream === via) breakOff(redis)
      })
    }
    return send.call(redis, command, stream)
  }
  redis.on('close', () => {
    for (const command of sent.splice(0)) command.reject(answerLost())
  })
  return redis
}

/**
 * A cluster sends again whatever ends with 'Connection is closed.', whether it had been sent or not,
 * and what waits for that goes out even after it has timed out. So a node's closed connection has
 * other words for what it took, and what has timed out is not sent. A node that answers nothing may
 * be half-open: its connection is given up, and the other nodes go on.
 * @param {Redis} node
 */
function sendOnce(node) {
  mustBecomeReady(hearEveryError(node), connectTimeout)
  const send = node.sendCommand
  let mute = false
  node.sendCommand = (command, stream) => {
    if (command.isSettled || late.has(command)) return command.promise
    const { reject } = command
    if (mute) {
      reject(new Error(closed))
    } else if (node.status === 'ready') {
      let heard = false
      rejectWith(command, (error) => {
        command.reject = reject
        // One that answered, late, is not mute.
        if (timedOut(error) && !mute && !heard) {
          mute = true
          breakOff(node)
        }
        heard = true
        reject(error.message === closed ? answerLost() : error)
      })
    }
    return mute ? command.promise : send.call(node, command, stream)
  }
}

/**
 * Else the time would count from when a node is found that takes the command.
 * @param {Cluster} cluster
 * @param {number | undefined} commandTimeout in ms
 */
function countFromCall(cluster, commandTimeout) {
  if (commandTimeout === undefined) return cluster
  const send = cluster.sendCommand
  cluster.sendCommand = (command, ...rest) => {
    command.setTimeout(commandTimeout)
    return send.call(cluster, command, ...rest)
  }
  return cluster
}

/**
 * @param {import('./index.js').ConnectionSettings} settings
 * @param {{ commandTimeout?: number, name: string }} options `commandTimeout` in ms
 * @returns {Redis | Cluster}
 */
export function openConnection(settings, options) {
  /** @type {import('ioredis').RedisOptions} */
  const common = {
    connectionName: options.name,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    connectTimeout,
    // For the other side to close as well, which may be gone.
    disconnectTimeout: 100,
    // It is asked that often whether it has loaded its data: its own guess may be off by far.
    maxLoadingRetryTime: 100,
    keepAlive: 10_000,
    retryStrategy,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(options.commandTimeout === undefined ? {} : { commandTimeout: options.commandTimeout }),
    ...('tls' in settings && settings.tls ? { tls: plain(settings.tls) } : {}),
  }
  if ('url' in settings) return endWithConnection(new Redis(settings.url, plain(common)))
  if ('sentinel' in settings) {
    const { name, nodes, sentinelPassword, ...login } = settings.sentinel
    const redis = new Redis({
      ...common,
      ...plain(login),
      name,
      sentinels: nodes.map((node) => ({ ...node })),
      ...sentinelOptions,
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      // Without these words `tls` would be passed over in silence, and passwords go in the clear.
      ...(common.tls ? { enableTLSForSentinelMode: true, sentinelTLS: common.tls } : {}),
    })
    return endWithConnection(endOnlyByWord(redis, retryStrategyOfMany(0)))
  }
  if ('cluster' in settings) {
    const { nodes, username, password } = settings.cluster
    const cluster = new Cluster(
      nodes.map((node) => ({ ...node })),
      {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: retryStrategyOfMany,
        // Fewer than usual, so that a call settles about when a single Redis's would.
        maxRedirections: 5,
        // Most slots arrive sooner than by the usual pause.
        retryDelayOnTryAgain: 50,
        redisOptions: plain({ ...common, username, password }),
      },
    )
    cluster.on('+node', sendOnce)
    return countFromCall(cluster, options.commandTimeout)
  }
  throw new Error('the in-process store has no connection')
}

/**
 * The same without members that are undefined.
 * @template {object} T
 * @param {T} value
 * @returns {any}
 */
function plain(value) {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}
