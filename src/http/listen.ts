import { once } from 'node:events'
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
    socket.once('close', () => {
      idle.delete(socket)
      // An answer that waits behind another is not told.
      inFlight.delete(socket)
    })
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

/** The servers of one app, and how what is idle on them is hung up. */
class Listeners {
  readonly #app: FastifyInstance
  readonly #servers: Server[]
  readonly #endIdle: (() => void)[]

  constructor(app: FastifyInstance) {
    this.#app = app
    this.#servers = [app.server]
    this.#endIdle = [watchIdle(app.server)]
  }

  /** Listens at a second address too, where this machine has it. */
  async add(server: Server, address: Address): Promise<void> {
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(address, () => resolve(true))
    })
    if (!listening) return
    this.#servers.push(server)
    this.#endIdle.push(watchIdle(server))
  }

  async close(grace: number): Promise<void> {
    const cut = () => {
      for (const server of this.#servers) server.closeAllConnections()
    }
    const timer = setTimeout(cut, grace)
    try {
      const others = this.#servers.slice(1).map((server) => once(server.close(), 'close'))
      const closed = Promise.all([this.#app.close(), ...others])
      for (const endIdle of this.#endIdle) endIdle()
      await closed
    } finally {
      clearTimeout(timer)
    }
  }
}

const loopbacks = ['127.0.0.1', '::1'] as const

/**
 * Listens, and says where; `localhost` is both of its addresses, the second one by `another` server
 * of the same app.
 * @throws RedisDistroError `bad_config` that names the address and what is wrong with it
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: Address,
  another: () => Server,
): Promise<Listening> {
  const listeners = new Listeners(app)
  const [first, second] = host === 'localhost' ? loopbacks : [host]
  try {
    await app.listen({ host: first, port })
  } catch (error) {
    await app.close()
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = causes[code] ?? (error instanceof Error ? error.message : String(error))
    const message = `http: cannot listen on ${host} port ${port}: ${why}`
    throw new RedisDistroError('bad_config', message, { cause: error })
  }
  const [bound] = app.addresses()
  const address =
    typeof bound === 'object' ? { host: bound.address, port: bound.port } : { host, port }
  if (second !== undefined) await listeners.add(another(), { host: second, port: address.port })
  return { address, close: (grace) => listeners.close(grace) }
}
