import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { RedisDistroError } from '../core/errors.js'

/** Where a server listens; port 0 takes a free one. */
export interface Address {
  readonly host: string
  readonly port: number
}

const causes: Record<string, string> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'this user may not listen on it',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
}

/** A server that listens, until it is closed. */
export interface Listening {
  readonly address: Address
  /** Takes no more, lets what is in flight end for at most `grace` ms, then cuts it. */
  close(grace: number): Promise<void>
}

/**
 * The connections that no request is in flight on. node's own `closeIdleConnections` passes over
 * those that never sent one, which browsers and clients open ahead, and they would hold up a stop.
 */
function watchIdle(server: Server): () => void {
  const idle = new Set<Socket>()
  const inFlight = new Map<Socket, number>()
  server.on('connection', (socket) => {
    idle.add(socket)
    socket.once('close', () => idle.delete(socket))
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket)
    inFlight.set(socket, (inFlight.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (inFlight.get(socket) ?? 1) - 1
      if (left > 0) inFlight.set(socket, left)
      else inFlight.delete(socket)
      if (left === 0 && !socket.destroyed) idle.add(socket)
    })
  })
  return () => {
    for (const socket of idle) socket.destroy()
  }
}

async function closeWithin(app: FastifyInstance, grace: number, endIdle: () => void) {
  const timer = setTimeout(() => app.server.closeAllConnections(), grace)
  try {
    const closed = app.close()
    endIdle()
    await closed
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Listens, and says where.
 * @throws RedisDistroError `bad_config` that names the address and what is wrong with it
 */
export async function listen(app: FastifyInstance, address: Address): Promise<Listening> {
  const { host, port } = address
  const endIdle = watchIdle(app.server)
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = causes[code] ?? (error instanceof Error ? error.message : String(error))
    const message = `http: cannot listen on ${host} port ${port}: ${why}`
    throw new RedisDistroError('bad_config', message, { cause: error })
  }
  const [bound] = app.addresses()
  return {
    address: typeof bound === 'object' ? { host: bound.address, port: bound.port } : address,
    close: (grace) => closeWithin(app, grace, endIdle),
  }
}
