import { setTimeout as wait } from 'node:timers/promises'
import { testPrefix } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { type MortalRedis, makeRedis } from './rig/redis.js'
import { underLoad } from './rig/under-load.js'

interface Frozen {
  /** ms of the workers' lease, and for how long nothing is answered. */
  readonly lease: number
  readonly ms: number
}

/** For twice the lease; in the long run for ten seconds, which is ten of one and two of another. */
const sizes = { short: { lease: 1000, ms: 2000 }, long: { lease: 5000, ms: 10_000 } }
const tenLeases = { long: { lease: 1000, ms: 10_000 } }

async function whileFrozen(
  { lease, ms }: Frozen,
  freeze: (redis: MortalRedis, ms: number) => Promise<unknown>,
) {
  const redis = await makeRedis()
  const fleet = await makeFleet({
    redis: { url: redis.url, prefix: testPrefix() },
    lease: `${lease}ms`,
  })
  await fleet.work()
  const { finding } = await underLoad(fleet, {}, () => freeze(redis, ms))
  return { ...finding, lease }
}

const sleeps = (redis: MortalRedis, ms: number) => redis.tell('DEBUG', 'SLEEP', ms / 1000)

const pauses = (what: 'ALL' | 'WRITE') => async (redis: MortalRedis, ms: number) => {
  await redis.tell('CLIENT', 'PAUSE', ms, what)
  await wait(ms)
}

const stops = async (redis: MortalRedis, ms: number) => {
  redis.freeze()
  await wait(ms)
  redis.thaw()
}

experiment({ fault: 'DEBUG SLEEP, two leases', ...sizes }, (size) => whileFrozen(size, sleeps))
experiment({ fault: 'DEBUG SLEEP, ten leases', ...tenLeases }, (size) => whileFrozen(size, sleeps))
experiment({ fault: 'CLIENT PAUSE ALL, two leases', ...sizes }, (size) =>
  whileFrozen(size, pauses('ALL')),
)
experiment({ fault: 'CLIENT PAUSE ALL, ten leases', ...tenLeases }, (size) =>
  whileFrozen(size, pauses('ALL')),
)
experiment({ fault: 'CLIENT PAUSE WRITE, two leases', ...sizes }, (size) =>
  whileFrozen(size, pauses('WRITE')),
)
experiment({ fault: 'SIGSTOP of redis-server, two leases', ...sizes }, (size) =>
  whileFrozen(size, stops),
)
experiment({ fault: 'SIGSTOP of redis-server, ten leases', ...tenLeases }, (size) =>
  whileFrozen(size, stops),
)
