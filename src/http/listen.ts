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

/**
 * Listens, and says where.
 * @throws RedisDistroError `bad_config` that names the address and what is wrong with it
 */
export async function listen(app: FastifyInstance, address: Address): Promise<Address> {
  const { host, port } = address
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
  return typeof bound !== 'object' ? address : { host: bound.address, port: bound.port }
}

/** Takes no more, lets what is in flight end for at most `grace` ms, then cuts it. */
export async function close(app: FastifyInstance, grace: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), grace)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
