import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Other sites' pages that may call the API, each by its exact origin. */
export interface CorsOptions {
  readonly origins: readonly string[]
}

const maxAge = 600

/**
 * Answers the preflights of listed origins, before any token is asked for, since browsers send none
 * with them; they tell nothing but which methods and headers there are. A preflight of any other
 * origin is a request like all others.
 */
export async function allowOrigins(
  app: FastifyInstance,
  options: CorsOptions | undefined,
): Promise<void> {
  if (options === undefined) return
  const listed = new Set(options.origins)
  await app.register(cors, {
    origin: (origin, answer) => answer(null, origin !== undefined && listed.has(origin) && origin),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'last-event-id',
      'traceparent',
    ],
    exposedHeaders: ['location', 'retry-after', 'wait-limit'],
    credentials: false,
    maxAge,
    strictPreflight: false,
  })
}
