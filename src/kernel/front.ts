import type { Enqueuer, OperatorContract } from '../client/contract.js'
import { AdminServer } from '../http/admin.js'
import type { Readiness } from '../http/health.js'
import type { Address } from '../http/listen.js'
import { HttpServer } from '../http/server.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import type { HttpSettings } from './config-schema/http.js'

/** Whether a server did not start since another one has its port. */
function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
}

export interface FrontParts {
  readonly enqueuer: Enqueuer
  readonly operator: OperatorContract
  readonly counters: Counters
  readonly log: Log
  ready(): Promise<Readiness>
}

/** The servers of a kernel: its API, and the admin port where one is configured. */
export class Front {
  readonly #settings: HttpSettings
  readonly #parts: FrontParts
  #servers: { stop(): Promise<void> }[] = []

  constructor(settings: HttpSettings, parts: FrontParts) {
    this.#settings = settings
    this.#parts = parts
  }

  /**
   * Listens. In the worker's role a taken port is no failure, for producer and worker of one
   * machine share a `.env`: it serves no one then, and undefined is returned.
   */
  async start(producer: boolean): Promise<Address | undefined> {
    const { admin, rateLimit, ...settings } = this.#settings
    const { enqueuer, ...parts } = this.#parts
    const role = producer ? 'producer' : 'worker'
    const limit = rateLimit === false ? undefined : rateLimit
    const options = { ...settings, rateLimit: limit, role } as const
    const server = new HttpServer(options, producer ? { enqueuer, ...parts } : parts)
    let address: Address | undefined
    try {
      address = await server.start()
      this.#servers.push(server)
    } catch (error) {
      if (producer || !isTaken(error)) throw error
      parts.log.warn('The port is taken, so this worker serves no /health, /ready and /metrics', {
        host: settings.host,
        port: settings.port,
      })
    }
    if (admin) {
      const adminServer = new AdminServer(admin, parts)
      await adminServer.start()
      this.#servers.push(adminServer)
    }
    return address
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()))
  }
}
