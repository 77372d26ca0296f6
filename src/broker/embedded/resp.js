import { createConnection } from 'node:net'

/**
 * Sends inline commands to the Redis on a loopback port and gives all that it answered before
 * QUIT; undefined where nothing listens. The watchdog speaks these few words itself: loading a
 * whole client would double its memory and its time to start.
 * @param {number} port
 * @param {readonly string[]} commands
 * @returns {Promise<string | undefined>}
 */
export function ask(port, commands) {
  return new Promise((resolve) => {
    let answer = ''
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.setTimeout(2000, () => socket.destroy())
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${[...commands, 'QUIT'].join('\r\n')}\r\n`))
    socket.on('data', (text) => {
      answer += text
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer === '' ? undefined : answer))
  })
}

/**
 * Waits until nothing listens on a loopback port.
 * @param {number} port
 */
export async function untilClosed(port) {
  while ((await ask(port, ['PING'])) !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
