import { createApp } from './app.js'
import { healthRoutes } from './health.js'
import { type Address, type Listening, listen } from './listen.js'
import { metricsRoutes } from './metrics.js'
import type { HttpParts } from './server.js'

const grace = 2_000

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
    const options = { host, bodyLimit: 1024, requestTimeout: 10_000, trustProxy: false }
    const app = await createApp(options, parts)
    healthRoutes(app, parts)
    metricsRoutes(app, parts)
    this.#listening = await listen(app, this.#address)
    return this.#listening.address
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#listening?.close(grace)
  }
}
