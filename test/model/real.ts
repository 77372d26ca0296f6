import { Redis } from 'ioredis'
import * as movement from '../../src/broker/movement-scripts.js'
import * as queries from '../../src/broker/query-scripts.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import * as scripts from '../../src/broker/scripts.js'
import { renewScript } from '../../src/broker/scripts.js'
import { silentLog } from '../../src/telemetry/log.js'
import type { Real } from './action.js'

/** Two brokers and a look behind them, on one real Redis. */
export interface Store {
  /** A partition that nothing lies in. */
  fresh(): Real
  /** Takes all of a partition out again. */
  clear(real: Real): Promise<void>
  close(): Promise<void>
}

/** Every script, as servers of either kind are sent it. */
const texts = [scripts, queries, movement]
  .flatMap((room) => Object.values(room))
  .flatMap(({ plain, flagged }) => [plain.text, flagged.text])

/** Has Redis know every script, so that no call needs a second turn. */
export async function loadScripts(redis: Redis): Promise<void> {
  const pipeline = redis.pipeline()
  for (const text of texts) pipeline.script('LOAD', text)
  await pipeline.exec()
}

export async function openStore(url: string, prefix: string): Promise<Store> {
  const clock = { now: 0 }
  const redis = new Redis(url)
  const open = async () => {
    const broker = createRedisBroker({
      connection: { url },
      prefix,
      commandTimeout: 60_000,
      allowEviction: false,
      log: silentLog,
      clock: { now: () => clock.now, monotonic: () => clock.now },
    })
    await broker.open()
    return broker
  }
  const [broker, other] = [await open(), await open()]
  await loadScripts(redis)
  let made = 0
  return {
    fresh() {
      made += 1
      const queue = `q${made}`
      const base = `${prefix}:{${queue}}:`
      const keys = renewScript.keys.map((name) => base + name)
      return {
        broker,
        other,
        redis,
        partition: { queue, index: 0, of: 1 },
        base,
        get now() {
          return clock.now
        },
        set now(ms) {
          clock.now = ms
        },
        async renew(worker, { lease, heard }) {
          const values = [clock.now, worker, lease, heard]
          const text = renewScript.plain.text
          const [word, told] = (await redis.eval(text, keys.length, ...keys, ...values)) as string[]
          return word === 'lost' ? undefined : (told ?? '')
        },
      }
    },
    async clear({ base }) {
      const keys = await redis.keys(`${base.replace(/[{}]/g, '\\$&')}*`)
      if (keys.length > 0) await redis.unlink(...keys)
    },
    async close() {
      redis.disconnect()
      await broker.close()
      await other.close()
    },
  }
}
