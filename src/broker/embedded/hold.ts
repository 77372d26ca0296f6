import type { Socket } from 'node:net'
import { RedisDistroError } from '../../core/errors.js'
import { type Answer, connect, controlSockets, type Ready } from './control.js'

/** A watchdog that says nothing for so long (ms) is stuck; while it loads it speaks each second. */
const longestSilence = 20_000

/** One user's connection to the watchdog; the server lives as long as one of these is open. */
export interface Hold {
  readonly socket: Socket
  readonly ready: Ready
}

/**
 * Takes hold of the server that runs in a directory, waiting until it has loaded its data;
 * undefined where no watchdog lives. Throws `store_away` with the reason where the start failed.
 */
export async function holdRunning(directory: string): Promise<Hold | undefined> {
  for (const path of await controlSockets(directory)) {
    const socket = await connectOrExplain(path)
    if (socket === undefined) continue
    socket.write('hold\n')
    const ready = await readReady(socket, directory)
    if (ready !== undefined) return { socket, ready }
  }
  return undefined
}

async function connectOrExplain(path: string): Promise<Socket | undefined> {
  try {
    return await connect(path)
  } catch (error) {
    // A full queue of connections passes; the caller looks again.
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw new RedisDistroError(
      'store_away',
      `The embedded Redis has a watchdog at ${path} that this user cannot reach; ` +
        'run as the user that started it, or set REDIS_URL.',
      { cause: error },
    )
  }
}

/** Undefined where the watchdog leaves: another one serves, or it had just ended. */
function readReady(socket: Socket, directory: string): Promise<Ready | undefined> {
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (message: string) => {
      socket.destroy()
      reject(new RedisDistroError('store_away', message))
    }
    const read = (chunk: string) => {
      const lines = `${text}${chunk}`.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const answer = JSON.parse(line) as Answer
        if ('error' in answer) return fail(answer.error)
        if ('loading' in answer) continue
        socket.setTimeout(0)
        socket.off('data', read).resume().unref()
        return resolve(answer)
      }
    }
    socket.setEncoding('utf8')
    socket.setTimeout(longestSilence, () =>
      fail(`The watchdog of the embedded Redis in ${directory} does not answer; end it by hand.`),
    )
    socket.on('data', read)
    socket.once('close', () => resolve(undefined))
  })
}
