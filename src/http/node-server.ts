import { createServer, type RequestListener, type Server } from 'node:http'
import { systemClock } from '../core/clock.js'
import type { Log } from '../telemetry/log.js'
import { rawProblem, refuseMalformed, type WireLimits } from './malformed.js'

/** What a server takes of connections, whatever is said on them; times in ms, sizes in bytes. */
export interface ConnectionLimits extends WireLimits {
  readonly keepAliveTimeout: number
  readonly maxConnections: number
}

/** ms that a connection may be silent, an answer in the making included. */
const silence = 300_000
/** Between two lines that tell of refused connections, in ms. */
const tellEvery = 60_000

/** Tells of connections past the limit, once a minute at most. */
function watchDrops(server: Server, { maxConnections }: ConnectionLimits, log: Log): void {
  let told = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    const now = systemClock.monotonic()
    if (now - told < tellEvery) return
    told = now
    log.warn('The API refuses connections past http.maxConnections', { maxConnections })
  })
}

/** Answers what node would answer by itself with no words, or not at all. */
function answerOddities(server: Server): void {
  const code = 'bad_request' as const
  server.on('checkExpectation', (_request, response) => {
    const detail = 'no expectation but 100-continue is met'
    response.socket?.end(rawProblem({ line: '417 Expectation Failed', detail, code }))
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    const detail = 'this is no proxy: CONNECT is not taken'
    socket.end(rawProblem({ line: '400 Bad Request', detail, code }))
  })
}

/** A node server within its limits, which answers with a problem whatever is no request. */
export function createNodeServer(
  handler: RequestListener,
  limits: ConnectionLimits,
  log: Log,
): Server {
  const { requestTimeout, headerLimit, keepAliveTimeout } = limits
  const settings = {
    headersTimeout: requestTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(requestTimeout, 1000),
    keepAliveTimeout,
    maxHeaderSize: headerLimit,
    // Refused in words by the app.
    requireHostHeader: false,
  }
  const server = createServer(settings, handler)
  server.maxConnections = limits.maxConnections
  server.setTimeout(silence)
  server.on('clientError', (error, socket) => refuseMalformed(error, socket, limits))
  watchDrops(server, limits, log)
  answerOddities(server)
  return server
}
