import type { Enqueuer, OperatorContract } from '../client/contract.js'
import type { SchedulesContract } from '../client/schedules.js'
import { type Clock, systemClock } from '../core/clock.js'
import { AdminServer } from '../http/admin.js'
import type { Readiness } from '../http/health.js'
import type { Address } from '../http/listen.js'
import { type HttpOptions, HttpServer } from '../http/server.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import type { HttpSettings } from './config-schema/http.js'
import { claimPort, PortLoan } from './port-loan.js'

/** How long a worker may take to give up the port that it lends, in ms. */
const claimWithin = 3000
/** Between two tries to listen meanwhile, in ms. */
const tryEvery = 50

/** Whether a server did not start since another one has its port. */
function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
}

/** The server's options by the config's. */
export function httpOptionsOf(
  settings: HttpSettings,
  role: HttpOptions['role'],
): Omit<HttpOptions, 'stopGrace'> {
  const { admin: _, rateLimit, cors, ...rest } = settings
  const limit = rateLimit === false ? undefined : rateLimit
  return { ...rest, rateLimit: limit, cors: cors === false ? undefined : cors, role }
}

export interface FrontParts {
  /** Absolute path of the project's folder for things made at run time. */
  readonly directory: string
  /** ms that requests in flight may take to end when it stops. */
  readonly stopGrace: number
  readonly enqueuer: Enqueuer
  readonly operator: OperatorContract
  readonly schedules: SchedulesContract
  readonly counters: Counters
  readonly log: Log
  ready(): Promise<Readiness>
}

/** The servers of a kernel: its API, and the admin port where one is configured. */
export class Front {
  readonly #settings: HttpSettings
  readonly #parts: FrontParts
  readonly #clock: Clock = systemClock
  #servers: { stop(): Promise<void> }[] = []

  constructor(settings: HttpSettings, parts: FrontParts) {
    this.#settings = settings
    this.#parts = parts
  }

  /**
   * Listens. In the worker's role a port that another one has is no failure: undefined is returned.
   * @throws RedisDistroError `bad_config` where it cannot
   */
  async start(producer: boolean): Promise<Address | undefined> {
    const address = producer ? await this.#serve() : await this.#serveAside()
    const { admin } = this.#settings
    if (admin) {
      const server = new AdminServer(admin, this.#parts)
      await server.start()
      this.#servers.push(server)
    }
    return address
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()))
  }

  #server(role: HttpOptions['role']): HttpServer {
    const { enqueuer, stopGrace, ...parts } = this.#parts
    const routes = role === 'producer' ? { ...parts, enqueuer } : parts
    const options = { ...httpOptionsOf(this.#settings, role), stopGrace }
    return new HttpServer(options, routes)
  }

  /** The API; a worker of the project that came first gives its port up. */
  async #serve(): Promise<Address> {
    const { directory } = this.#parts
    let deadline: number | undefined
    for (;;) {
      const server = this.#server('producer')
      try {
        const address = await server.start()
        this.#servers.push(server)
        return address
      } catch (error) {
        if (!isTaken(error)) throw error
        const asked = await claimPort(directory, this.#settings.port)
        if (asked) deadline ??= this.#clock.monotonic() + claimWithin
        if (deadline === undefined || this.#clock.monotonic() >= deadline) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, tryEvery))
    }
  }

  /** The worker's few routes, until the producer of the project wants the port. */
  async #serveAside(): Promise<Address | undefined> {
    const { host, port } = this.#settings
    const { directory, log } = this.#parts
    const server = this.#server('worker')
    const loan = new PortLoan(directory, port)
    await loan.begin()
    try {
      const address = await server.start()
      this.#servers.push({
        stop: () => Promise.all([loan.end(), server.stop()]).then(() => undefined),
      })
      loan.watch(() => {
        log.info('The port goes to the producer; this worker serves no routes now', { host, port })
        return server.stop()
      })
      return address
    } catch (error) {
      await loan.end()
      if (!isTaken(error)) throw error
      const without = 'The port is taken, so this worker serves no /health, /ready and /metrics'
      log.warn(without, { host, port })
      return undefined
    }
  }
}
