import { z } from 'zod'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { Client } from '../../src/client/client.js'
import { Operator } from '../../src/client/operator.js'
import { registryDirectory } from '../../src/client/registry-directory.js'
import { systemClock } from '../../src/core/clock.js'
import { type AnyTaskDefinition, defineTask } from '../../src/core/definition.js'
import { taskDefaultsSchema } from '../../src/core/task-defaults.js'
import { type HttpOptions, HttpServer } from '../../src/http/server.js'
import { silentLog } from '../../src/telemetry/log.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { testPrefix, testRedisUrl } from '../support/redis.js'
import { httpOptions } from './stand-in.js'

/** A type that takes whatever JSON can hold. */
export const anything = defineTask({ type: 'any', payload: z.any(), handle: () => undefined })

export interface RealApiOptions {
  /** The suite's, if left out. */
  readonly redisUrl?: string
  readonly http?: Partial<HttpOptions>
  readonly tasks: readonly AnyTaskDefinition[]
}

/** An API over the suite's Redis, under a prefix of its own, with one queue and no workers. */
export async function startRealApi({ http, redisUrl, tasks }: RealApiOptions) {
  const clock = systemClock
  const broker = createRedisBroker({
    connection: { url: redisUrl ?? testRedisUrl() },
    prefix: testPrefix(),
    commandTimeout: 5000,
    allowEviction: false,
    log: silentLog,
  })
  await broker.open()
  const { retry } = taskDefaultsSchema.parse({})
  const resolved = { queue: 'default', retry, timeout: 60_000, deadLetter: 'dead' }
  const directory = registryDirectory({
    broker,
    clock,
    tasks: new Map(tasks.map((one) => [one.type, { definition: one, ...resolved }])),
    queues: new Map([['default', 1]]),
    tz: 'UTC',
    realName: (queue) => queue,
  })
  const client = new Client({ broker, directory, clock })
  const operator = new Operator({ broker, directory, clock })
  const ready = async () => ({ ok: true, checks: {} })
  const parts = { enqueuer: client, operator, counters: createCounters(), log: silentLog, ready }
  const server = new HttpServer({ ...httpOptions, ...http }, parts)
  const { host, port } = await server.start()
  return {
    url: `http://${host}:${port}`,
    port,
    client,
    operator,
    /** How many tasks were ever enqueued, and how many there are now. */
    async written() {
      const { total, depth } = await operator.stats()
      return `${total.enqueued} ${Object.values(depth).reduce((sum, count) => sum + count, 0)}`
    },
    async stop() {
      await server.stop()
      await broker.close()
    },
  }
}
