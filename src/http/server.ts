import type { FastifyInstance } from 'fastify'
import type { Enqueuer, OperatorContract } from '../client/contract.js'
import type { SchedulesContract } from '../client/schedules.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { type AppOptions, createApp } from './app.js'
import type { HttpTokens } from './auth.js'
import { deadLetterRoutes } from './dead-letters.js'
import { enqueueRoutes } from './enqueue.js'
import { eventRoutes } from './events.js'
import { healthRoutes, type Readiness } from './health.js'
import { jobRoutes } from './jobs.js'
import { type Address, type Listening, listen } from './listen.js'
import { metricsRoutes } from './metrics.js'
import { createNodeServer } from './node-server.js'
import type { OpenApiDocument } from './openapi/document.js'
import { noteRoutes, type OpenApiParts, openApiRoutes, writeDocument } from './openapi/routes.js'
import type { PayloadLimits } from './payload-limits.js'
import { queueRoutes } from './queues.js'
import { scheduleRoutes } from './schedules.js'
import { taskRoutes } from './tasks.js'
import { workerRoutes } from './workers.js'

/** How the API is served; times in ms, sizes in bytes. */
export interface HttpOptions extends AppOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly tokens: HttpTokens
  /** `worker`: only /health, /ready and /metrics. */
  readonly role: 'producer' | 'worker'
  readonly payload: PayloadLimits
  /** Tasks of a batch at most. */
  readonly batchLimit: number
  /** Listeners to events at a time. */
  readonly maxListeners: number
  /** ms that requests in flight may take to end when the server stops; 10 s if left out. */
  readonly stopGrace?: number
}

/** What the routes speak to. */
export interface HttpParts {
  /** Needed in the producer's role, which has no enqueue routes without it. */
  readonly enqueuer?: Enqueuer
  readonly operator: OperatorContract
  /** Needed where there shall be routes of schedules. */
  readonly schedules?: SchedulesContract
  readonly counters: Counters
  readonly log: Log
  ready(): Promise<Readiness>
}

interface RouteParts extends HttpParts {
  readonly stopping: AbortSignal
}

/** Adds the routes of its role, and gives what they say of themselves. */
function addRoutes(app: FastifyInstance, options: HttpOptions, parts: RouteParts): OpenApiParts {
  const { enqueuer, operator, schedules } = parts
  const { payload, batchLimit } = options
  const types = async () => (await enqueuer?.types()) ?? []
  const described = { routes: noteRoutes(app), types, batchLimit }
  healthRoutes(app, parts)
  metricsRoutes(app, parts)
  if (options.role === 'worker') return described
  if (enqueuer !== undefined) enqueueRoutes(app, { enqueuer, limits: payload, batchLimit })
  taskRoutes(app, { ...parts, limits: payload })
  queueRoutes(app, operator)
  deadLetterRoutes(app, operator)
  jobRoutes(app, operator)
  if (schedules !== undefined) scheduleRoutes(app, schedules, payload)
  workerRoutes(app, operator)
  eventRoutes(app, parts, options.maxListeners)
  openApiRoutes(app, described)
  return described
}

/** The API with its routes, not yet listening; `stopping` ends what waits. */
export async function createApi(options: HttpOptions, parts: RouteParts): Promise<FastifyInstance> {
  const app = await createApp(options, parts)
  addRoutes(app, options, parts)
  return app
}

/** What /openapi.json says of such an API, without listening. */
export async function describeApi(
  options: HttpOptions,
  parts: RouteParts,
): Promise<OpenApiDocument> {
  const app = await createApp(options, parts)
  const described = addRoutes(app, options, parts)
  await app.close()
  return await writeDocument(described)
}

const usualGrace = 10_000

/** The HTTP API: takes requests from start to stop, once. */
export class HttpServer {
  readonly #options: HttpOptions
  readonly #parts: HttpParts
  readonly #stopping = new AbortController()
  #listening: Listening | undefined

  constructor(options: HttpOptions, parts: HttpParts) {
    this.#options = options
    this.#parts = parts
  }

  /** Listens, and says where. @throws RedisDistroError `bad_config` where it cannot */
  async start(): Promise<Address> {
    const stopping = this.#stopping.signal
    const app = await createApi(this.#options, { ...this.#parts, stopping })
    const another = () => createNodeServer(app.routing, this.#options, this.#parts.log)
    this.#listening = await listen(app, this.#options, another)
    return this.#listening.address
  }

  /** Takes no more, ends what waits, and lets what is in flight end within the grace. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#listening?.close(this.#options.stopGrace ?? usualGrace)
  }
}
