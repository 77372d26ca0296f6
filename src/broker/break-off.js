/** @typedef {import('ioredis').Redis} Redis */

/**
 * Gives a connection up that answers nothing; a new one follows. Not closed politely: the system
 * would go on sending what lies in its buffer, and a script that nobody waits for any more would
 * run minutes later.
 * @param {Redis} connection
 */
export function breakOff(connection) {
  try {
    const { stream } = connection
    const socket = /** @type {import('node:net').Socket} */ (stream)
    // One that is being closed politely cannot be reset: it would never tell of its end.
    if (socket.writableEnded) socket.destroy()
    else socket.resetAndDestroy()
  } catch {
    // No bare TCP connection.
    connection.disconnect(true)
  }
}

/**
 * A server that takes the connection and then says nothing would be waited for without end, where
 * commands have no timeout.
 * @param {Redis} redis
 * @param {number} within ms
 */
export function mustBecomeReady(redis, within) {
  redis.on('connect', () => {
    const via = redis.stream
    const timer = setTimeout(() => {
      if (redis.stream === via && redis.status === 'connect') breakOff(redis)
    }, within)
    timer.unref()
  })
}

/**
 * The client library would go on in database 0, among somebody else's keys, where the one that was
 * asked for is refused. Such a connection is given up, and the next one asks again.
 * @param {Redis} redis
 */
export function keepToDatabase(redis) {
  redis.on('error', (/** @type {Error} */ error) => {
    if (isRefusedSelect(error)) breakOff(redis)
  })
  return redis
}

/**
 * True where the database that a connection is for was refused.
 * @param {Error} error
 */
export const isRefusedSelect = (error) =>
  'command' in error &&
  /** @type {{ name?: unknown } | undefined} */ (error.command)?.name === 'select'
