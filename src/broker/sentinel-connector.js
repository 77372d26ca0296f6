import { SentinelConnector } from 'ioredis'

/** @typedef {{ connectToSentinel(...call: unknown[]): import('ioredis').Redis }} Opening */

/**
 * Finds the master as ioredis does, and listens to the sentinels for a failover. What one of them
 * fails by is heard: ioredis would print it, each time that it is tried again.
 * @param {unknown} options
 */
function listeningConnector(options) {
  const connector = new SentinelConnector(
    /** @type {import('ioredis').SentinelConnectionOptions} */ (options),
  )
  const opening = /** @type {Opening} */ (/** @type {unknown} */ (connector))
  const open = opening.connectToSentinel
  opening.connectToSentinel = (/** @type {unknown[]} */ ...call) => {
    const sentinel = open.apply(connector, call)
    sentinel.on('error', () => undefined)
    return sentinel
  }
  return connector
}

/** How long to wait before the next try, in ms, where each asks many servers. */
export const retryStrategyOfMany = (/** @type {number} */ tries) =>
  Math.min(50 * 2 ** Math.min(tries, 4), 500)

/**
 * How a master behind Sentinel is found, and found anew.
 * @type {import('ioredis').RedisOptions}
 */
export const sentinelOptions = {
  Connector: /** @type {new (options: unknown) => SentinelConnector} */ (
    /** @type {unknown} */ (listeningConnector)
  ),
  failoverDetector: true,
  sentinelRetryStrategy: retryStrategyOfMany,
  // Else one that takes the question and never answers is waited for without end.
  sentinelCommandTimeout: 500,
  // They are listened to for as long as the connection lasts, whatever becomes of one meanwhile.
  sentinelReconnectStrategy: retryStrategyOfMany,
  // What a failover took away may answer no goodbye.
  disconnectTimeout: 250,
}
