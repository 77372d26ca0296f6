import type { FastifyReply, FastifyRequest } from 'fastify'
import { RedisDistroError } from '../core/errors.js'
import { type Access, createGate, type HttpTokens } from './auth.js'
import type { CorsOptions } from './cors.js'
import { foreignHeader } from './origin.js'
import type { RateLimits } from './rate-limit.js'

export interface GuardOptions {
  readonly host: string
  /** Left out: whoever reaches the port is let in. */
  readonly tokens?: HttpTokens
  readonly cors?: CorsOptions | undefined
}

/** Lets a request in, or throws why not. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

const challenges = {
  missing: 'Bearer realm="redisdistro"',
  wrong: 'Bearer realm="redisdistro", error="invalid_token"',
  insufficient: 'Bearer realm="redisdistro", error="insufficient_scope"',
} as const

const refusals = {
  missing: 'a token is wanted: Authorization: Bearer <token>',
  wrong: 'the token is not one of this server',
  insufficient: 'the token does not open this route',
} as const

/** What a route asks for, where it may have said so itself. */
export const accessOf = (method: string, own: Access | undefined): Access =>
  own ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write')

/** What a request asks for; what has no route asks for any token. */
function askedFor({ method, is404, routeOptions: { url, config } }: FastifyRequest): Access {
  return is404 || url === undefined ? 'any' : accessOf(method, config.access)
}

/** Without tokens: this machine alone, and the pages that the config lists. */
function refuseForeign({ headers, protocol }: FastifyRequest, options: GuardOptions): void {
  const { host, cors } = options
  const { origin } = headers
  const listed = origin !== undefined && cors?.origins.includes(origin) === true
  const header = foreignHeader(listed ? { host: headers.host } : headers, { host, protocol })
  if (header === undefined) return
  const detail = `the ${header} is foreign; a server without tokens answers only to its own address`
  throw new RedisDistroError('forbidden', detail)
}

/**
 * The one way in, for every request that there is a reply for: counted by address, then asked for a
 * token where there are some, then counted by that. Probes need neither.
 */
export function createGuard(options: GuardOptions, limits: RateLimits | undefined): Guard {
  const gate = options.tokens && createGate(options.tokens)
  return async (request, reply) => {
    const access = askedFor(request)
    if (limits && access !== 'open') await limits.countAddress({ request, reply })
    if (gate === undefined) return
    if (!gate.guarded) return refuseForeign(request, options)
    const { verdict, token } = gate.judge(request.headers.authorization, access)
    if (verdict === 'admitted') {
      if (limits && token !== undefined) await limits.countToken({ request, reply }, token)
      return
    }
    reply.header('www-authenticate', challenges[verdict])
    const code = verdict === 'insufficient' ? 'forbidden' : 'unauthorized'
    throw new RedisDistroError(code, refusals[verdict])
  }
}
