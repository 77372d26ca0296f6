import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { formatDuration } from '../core/duration.js'
import { RedisDistroError } from '../core/errors.js'

/** How many requests a caller may make in each `window` of ms. */
export interface RateLimit {
  /** Of one address; left out: any number. */
  readonly max?: number | undefined
  /** By one token; left out: any number. */
  readonly maxPerToken?: number | undefined
  readonly window: number
  /** Addresses that are remembered at most. */
  readonly callers: number
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

interface Caller {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Counts requests; throws `too_many_requests` for one too many. */
export interface RateLimits {
  /** By its address, before any token is looked at, so that guessing is slow too. */
  countAddress(caller: Caller): Promise<void>
  /** By the token that it was let in with; `token` is a digest, never the token. */
  countToken(caller: Caller, token: string): Promise<void>
}

interface Rule {
  readonly limiter: Limiter
  readonly of: string
  readonly window: number
}

async function count({ limiter, of, window }: Rule, { request, reply }: Caller): Promise<void> {
  const seen = await limiter(request)
  if (seen.isAllowed) return
  const { max, remaining, ttlInSeconds: seconds, isExceeded } = seen
  reply.header('x-ratelimit-limit', max)
  reply.header('x-ratelimit-remaining', remaining)
  reply.header('x-ratelimit-reset', seconds)
  if (!isExceeded) return
  reply.header('retry-after', Math.max(1, seconds))
  const most = `more than ${max} requests of ${of} within ${formatDuration(window)}`
  throw new RedisDistroError('too_many_requests', `${most}; come again in ${seconds} s`)
}

/** The limits of one server, undefined where it has none; both count in this process alone. */
export async function createRateLimits(
  app: FastifyInstance,
  limit: RateLimit | undefined,
): Promise<RateLimits | undefined> {
  if (limit === undefined) return undefined
  const { max, maxPerToken, window, callers } = limit
  const settings = { global: false, timeWindow: window, cache: callers }
  await app.register(rateLimit, max === undefined ? settings : { ...settings, max })
  const tokens = new WeakMap<FastifyRequest, string>()
  const byAddress = max === undefined ? undefined : app.createRateLimit()
  const byToken =
    maxPerToken === undefined
      ? undefined
      : app.createRateLimit({
          max: maxPerToken,
          keyGenerator: (request) => tokens.get(request) ?? '',
        })
  return {
    async countAddress(caller) {
      if (byAddress) await count({ limiter: byAddress, of: 'one address', window }, caller)
    },
    async countToken(caller, token) {
      if (!byToken) return
      tokens.set(caller.request, token)
      await count({ limiter: byToken, of: 'one token', window }, caller)
    },
  }
}
