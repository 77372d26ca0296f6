import type { Server } from 'node:http'
import rateLimit from '@fastify/rate-limit'
import fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { RedisDistroError } from '../core/errors.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { type Access, createGate, type HttpTokens } from './auth.js'
import { addBodyParsers, checkBody } from './body.js'
import { refuseMalformed } from './malformed.js'
import { foreignHeader } from './origin.js'
import { asProblem, sendProblem } from './problem.js'

/** How the server takes requests, whatever its routes are. Times in ms, sizes in bytes. */
export interface AppOptions {
  readonly host: string
  readonly bodyLimit: number
  /** To receive a request in; how long its answer takes is not counted. */
  readonly requestTimeout: number
  /** Left out: whoever reaches the port is let in. */
  readonly tokens?: HttpTokens
  readonly rateLimit?: { readonly max: number; readonly window: number } | undefined
  /** Whose X-Forwarded-* headers are believed: true for all, or addresses. */
  readonly trustProxy: boolean | string | string[]
}

export interface AppParts {
  readonly counters: Counters
  readonly log: Log
  /** Aborted when the server stops: what comes then is refused. */
  readonly stopping: AbortSignal
}

/** ms that a connection may be silent, an answer in the making included. */
const silence = 300_000

function createInstance(options: AppOptions, log: Log): FastifyInstance {
  const { requestTimeout } = options
  const settings: FastifyHttpOptions<Server> = {
    bodyLimit: options.bodyLimit,
    trustProxy: options.trustProxy,
    requestTimeout,
    connectionTimeout: silence,
    http: {
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.min(requestTimeout, 1000),
    },
    routerOptions: { maxParamLength: 512 },
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseMalformed(error, socket, requestTimeout),
    frameworkErrors: (error, { method }, reply) => {
      sendProblem(reply as FastifyReply, asProblem(error, { method, log }))
    },
  }
  return fastify(settings)
}

function accessOf(request: FastifyRequest): Access {
  if (request.is404) return 'any'
  const reading = request.method === 'GET' || request.method === 'HEAD'
  return request.routeOptions.config.access ?? (reading ? 'read' : 'write')
}

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

/** Lets in who may come: by token where there are some, else only from this machine. */
function addGate(app: FastifyInstance, options: AppOptions): void {
  if (options.tokens === undefined) return
  const gate = createGate(options.tokens)
  app.addHook('onRequest', async (request, reply) => {
    const { headers } = request
    if (!gate.guarded) {
      const { protocol } = request
      const header = foreignHeader(headers, { host: options.host, protocol })
      if (header === undefined) return
      const detail = `the ${header} is foreign; a server without tokens answers only to its own address`
      throw new RedisDistroError('forbidden', detail)
    }
    const verdict = gate.judge(headers.authorization, accessOf(request))
    if (verdict === 'admitted') return
    reply.header('www-authenticate', challenges[verdict])
    const code = verdict === 'insufficient' ? 'forbidden' : 'unauthorized'
    throw new RedisDistroError(code, refusals[verdict])
  })
}

/** Counts requests by caller before any token is looked at, so that guessing is slow too. */
async function addRateLimit(app: FastifyInstance, options: AppOptions): Promise<void> {
  if (options.rateLimit === undefined) return
  const { max, window } = options.rateLimit
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: window,
    allowList: (request) => accessOf(request) === 'open',
    errorResponseBuilder: (_request, { after }) =>
      new RedisDistroError(
        'too_many_requests',
        `more than ${max} requests; come again in ${after}`,
      ),
  })
  app.addHook('onRequest', app.rateLimit())
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

function addManners(app: FastifyInstance, { log, stopping }: AppParts): void {
  app.setErrorHandler((error, { method }, reply) =>
    sendProblem(reply, asProblem(error, { method, log })),
  )
  app.addHook('onRequest', async (request) => {
    if (stopping.aborted && request.routeOptions.url !== '/health') {
      throw new RedisDistroError('closed', 'the server is stopping')
    }
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    if (stopping.aborted) reply.header('connection', 'close')
  })
}

/** A server that knows how to take, guard and answer requests, and has no routes yet. */
export async function createApp(options: AppOptions, parts: AppParts): Promise<FastifyInstance> {
  const app = createInstance(options, parts.log)
  addBodyParsers(app)
  addManners(app, parts)
  addRecords(app, parts)
  await addRateLimit(app, options)
  addGate(app, options)
  // Before its body is read, which no route would take.
  app.addHook('onRequest', async ({ is404, method, url }) => {
    if (!is404) return
    const path = url.split('?')[0]?.slice(0, 200)
    throw new RedisDistroError('unknown_route', `there is no route ${method} ${path}`)
  })
  app.addHook('preValidation', async (request) => checkBody(request))
  return app
}
