import { createApp } from './app.js'
import { healthRoutes } from './health.js'
import { type Address, type Listening, listen } from './listen.js'
import { metricsRoutes } from './metrics.js'
import { createNodeServer } from './node-server.js'
import type { HttpParts } from './server.js'

const grace = 2_000

/** Enough for probes and scrapers, whose requests have no body. */
const limits = {
  bodyLimit: 1024,
  headerLimit: 16 * 1024,
  requestTimeout: 10_000,
  stallTimeout: 30_000,
  keepAliveTimeout: 72_000,
  maxConnections: 200,
  trustProxy: false,
} as const

/** A second port, for probes and scrapers: only /health, /ready and /metrics, without a token. */
export class AdminServer {
  readonly #address: Address
  readonly #parts: Omit<HttpParts, 'enqueuer'>
  readonly #stopping = new AbortController()
  #listening: Listening | undefined

  constructor(address: Address, parts: Omit<HttpParts, 'enqueuer'>) {
    this.#address = address
    this.#parts = parts
  }

  /** Listens, and says where. @throws RedisDistroError `bad_config` where it cannot */
  async start(): Promise<Address> {
    const { host } = this.#address
    const parts = { ...this.#parts, stopping: this.#stopping.signal }
    const options = { ...limits, host }
    const app = await createApp(options, parts)
    healthRoutes(app, parts)
    metricsRoutes(app, parts)
    const another = () => createNodeServer(app.routing, options, parts.log)
    this.#listening = await listen(app, this.#address, another)
    return this.#listening.address
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#listening?.close(grace)
  }
}
