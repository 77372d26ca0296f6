import { Cluster, Redis } from 'ioredis'

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

/** How long to wait before the next try to connect, in ms; short, since work stands still. */
const retryStrategy = (/** @type {number} */ tries) => Math.min(50 * 2 ** Math.min(tries, 4), 500)

/**
 * What a connection took ends with it. ioredis would leave those calls to their timeouts, by which
 * a new and healthy connection stands. One that leaves a call unanswered may be half-open: it is
 * given up, for a new one.
 * @param {Redis} redis
 */
function endWithConnection(redis) {
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
    connectTimeout: 5000,
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
      failoverDetector: true,
      sentinelRetryStrategy: retryStrategy,
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      // Without these words `tls` would be passed over in silence, and passwords go in the clear.
      ...(common.tls ? { enableTLSForSentinelMode: true, sentinelTLS: common.tls } : {}),
    })
    return endWithConnection(redis)
  }
  if ('cluster' in settings) {
    const { nodes, username, password } = settings.cluster
    const cluster = new Cluster(
      nodes.map((node) => ({ ...node })),
      {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: retryStrategy,
        // Fewer than usual, so that a call settles about when a single Redis's would.
        maxRedirections: 5,
        redisOptions: plain({ ...common, username, password }),
      },
    )
    cluster.on('+node', sendOnce)
    const { commandTimeout } = options
    if (commandTimeout !== undefined) {
      const send = cluster.sendCommand
      // Else the time would count from when a node is found that takes the command.
      cluster.sendCommand = (command, ...rest) => {
        command.setTimeout(commandTimeout)
        return send.call(cluster, command, ...rest)
      }
    }
    return cluster
  }
  throw new Error('the in-process store has no connection')
}

/**
 * Gives a connection up that answers nothing; a new one follows. Not closed politely: the system
 * would go on sending what lies in its buffer, and a script that nobody waits for any more would
 * run minutes later.
 * @param {Redis} connection
 */
function breakOff(connection) {
  try {
    const { stream } = connection
    const socket = /** @type {import('node:net').Socket} */ (stream)
    socket.resetAndDestroy()
  } catch {
    // No bare TCP connection.
    connection.disconnect(true)
  }
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
