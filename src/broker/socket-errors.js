/**
 * ioredis hears one error of a socket, and TLS may tell of a second, which would end the process as an
 * exception that nobody caught. Plain JavaScript, as what opens connections is.
 * @template {import('ioredis').Redis} Connection
 * @param {Connection} redis
 * @returns {Connection}
 */
export function hearEveryError(redis) {
  /** @typedef {{ connect(...call: unknown[]): Promise<import('node:net').Socket> }} Connector */
  const { connector } = /** @type {{ connector: Connector }} */ (/** @type {unknown} */ (redis))
  const connect = connector.connect
  connector.connect = async (...call) => {
    const socket = await connect.apply(connector, call)
    socket.on('error', () => undefined)
    return socket
  }
  return redis
}
