import type { Server } from 'node:http'
import fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyReply } from 'fastify'
import { RedisDistroError } from '../core/errors.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { addBodyParsers, checkBody } from './body.js'
import { allowOrigins } from './cors.js'
import { createGuard, type Guard, type GuardOptions } from './guard.js'
import { pageHeaders, safetyHeaders } from './headers.js'
import { type ConnectionLimits, createNodeServer } from './node-server.js'
import { asProblem, sendProblem } from './problem.js'
import { createRateLimits, type RateLimit } from './rate-limit.js'
import { timesSent } from './raw-headers.js'
import { maxParamLength } from './route-config.js'
import { cutStalled } from './stalled.js'

/** How the server takes requests, whatever its routes are. Times in ms, sizes in bytes. */
export interface AppOptions extends ConnectionLimits, GuardOptions {
  readonly bodyLimit: number
  /** A long answer of which nothing is taken for this long is given up. */
  readonly stallTimeout: number
  readonly rateLimit?: RateLimit | undefined
  /** Whose X-Forwarded-* headers are believed: true for all, or addresses. */
  readonly trustProxy: boolean | string | string[]
}

export interface AppParts {
  readonly counters: Counters
  readonly log: Log
  /** Aborted when the server stops: what comes then is refused. */
  readonly stopping: AbortSignal
}

type RefuseEarly = NonNullable<FastifyHttpOptions<Server>['frameworkErrors']>

/** What fastify refuses before any hook has run: the caller is asked for a token all the same. */
function refuseEarly(guard: () => Guard, log: Log): RefuseEarly {
  return async (error, request, reply) => {
    const refusal = await guard()(request, reply as FastifyReply).then(
      () => error,
      (refused: unknown) => refused,
    )
    const { method, protocol } = request
    reply.headers(safetyHeaders(protocol))
    sendProblem(reply as FastifyReply, asProblem(refusal, { method, log }))
  }
}

/** Says what was answered: a line at debug, and a counter by route. */
function addRecords(app: FastifyInstance, { counters, log }: AppParts): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    const { method } = request
    counters.add('redisdistro_http_requests_total', {
      method,
      route,
      status: String(reply.statusCode),
    })
    const ms = Math.round(reply.elapsedTime)
    log.debug('a request was answered', { method, route, status: reply.statusCode, ms })
  })
}

function unknownRoute({ method, url }: { method: string; url: string }): RedisDistroError {
  const path = url.split('?')[0]?.slice(0, 200)
  return new RedisDistroError('unknown_route', `there is no route ${method} ${path}`)
}

function addManners(app: FastifyInstance, { log, stopping }: AppParts): void {
  app.setErrorHandler((error, { method, routeOptions: { bodyLimit } }, reply) =>
    sendProblem(reply, asProblem(error, { method, log, bodyLimit })),
  )
  app.setNotFoundHandler((request) => {
    throw unknownRoute(request)
  })
  app.addHook('onRequest', async ({ raw, headers, routeOptions }) => {
    if (stopping.aborted && routeOptions.url !== '/health') {
      throw new RedisDistroError('closed', 'the server is stopping')
    }
    if (headers.host === undefined && raw.httpVersion !== '1.0') {
      throw new RedisDistroError('bad_request', 'a Host header is wanted')
    }
    // Whoever stands before this server may have looked at the other one.
    if (timesSent(raw, 'host') > 1)
      throw new RedisDistroError('bad_request', 'one Host header is wanted')
  })
  app.addHook('onSend', async ({ protocol, routeOptions }, reply) => {
    reply.headers(safetyHeaders(protocol))
    if (routeOptions.config?.access === 'page') reply.headers(pageHeaders)
    if (stopping.aborted) reply.header('connection', 'close')
  })
}

/** A server that knows how to take, guard and answer requests, and has no routes yet. */
export async function createApp(options: AppOptions, parts: AppParts): Promise<FastifyInstance> {
  let guard: Guard = async () => undefined
  const app = fastify({
    bodyLimit: options.bodyLimit,
    trustProxy: options.trustProxy,
    routerOptions: { maxParamLength },
    return503OnClosing: false,
    serverFactory: (handler) => createNodeServer(handler, options, parts.log),
    // Every server has its own, also that of a second address.
    clientErrorHandler: () => undefined,
    frameworkErrors: refuseEarly(() => guard, parts.log),
  })
  addBodyParsers(app)
  addManners(app, parts)
  addRecords(app, parts)
  await allowOrigins(app, options.cors)
  guard = createGuard(options, await createRateLimits(app, options.rateLimit))
  app.addHook('onRequest', (request, reply) => guard(request, reply))
  // Before its body is read, which no route would take.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw unknownRoute(request)
  })
  app.addHook('preValidation', async (request) => checkBody(request))
  cutStalled(app, options.stallTimeout)
  return app
}
