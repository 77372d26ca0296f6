import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'

/** What is to be done when a connection closes, by one listener for each. */
const waiting = new WeakMap<Socket, Set<() => void>>()

function waitingAt(socket: Socket): Set<() => void> {
  const known = waiting.get(socket)
  if (known !== undefined) return known
  const made = new Set<() => void>()
  waiting.set(socket, made)
  socket.once('close', () => {
    for (const over of [...made]) over()
  })
  return made
}

/**
 * Calls `work` once, when an answer is over or its caller has left: an answer that waits behind
 * another of its connection is not told that this has closed.
 */
export function whenOver({ raw }: FastifyReply, work: () => void): void {
  const { socket } = raw.req
  const others = waitingAt(socket)
  const over = () => {
    if (!others.delete(over)) return
    raw.removeListener('close', over)
    work()
  }
  others.add(over)
  raw.once('close', over)
  if (raw.destroyed || socket.destroyed) over()
}
