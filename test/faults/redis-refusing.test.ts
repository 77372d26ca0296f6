import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { testPrefix, until } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { overHttp } from './rig/http.js'
import { appendOnly, type MortalRedis, makeRedis } from './rig/redis.js'
import { underLoad } from './rig/under-load.js'

// A Redis that answers, and says no.

const lease = 1000

interface Refusing {
  readonly ms: number
}

const sizes = { short: { ms: 1500 }, long: { ms: 10_000 } }

interface Refusal {
  readonly args?: readonly string[]
  /** Prepares what is not the fault. */
  readonly before?: (redis: MortalRedis) => Promise<unknown>
  begin(redis: MortalRedis): Promise<unknown>
  end(redis: MortalRedis): Promise<unknown>
  /** Who the product is. */
  readonly login?: string
}

async function whileRefusing({ ms }: Refusing, refusal: Refusal) {
  const { args = [], before, begin, end, login = '' } = refusal
  const redis = await makeRedis({ args })
  await before?.(redis)
  const url = redis.url.replace('//', `//${login}`)
  const fleet = await makeFleet({ redis: { url, prefix: testPrefix() } })
  await fleet.work()
  const { url: api } = await fleet.produce()
  const client = overHttp(api)
  const { finding } = await underLoad(fleet, { client, rate: 100 }, async (load) => {
    await begin(redis)
    await until(() => load.refused.size > 0, { describe: 'a first refusal' })
    await wait(ms)
    await end(redis)
  })
  for (const refused of client.refusals) {
    expect(refused).toMatch(/^503 store_(away|unknown), again after 1$/)
  }
  expect(client.refusals.has('503 store_away, again after 1')).toBe(true)
  return { ...finding, lease }
}

experiment<Refusing>({ fault: 'READONLY, and master again', ...sizes }, (size) =>
  whileRefusing(size, {
    // Nobody is there: it keeps what it has.
    begin: (redis) => redis.tell('REPLICAOF', '127.0.0.1', 1),
    end: (redis) => redis.tell('REPLICAOF', 'NO', 'ONE'),
  }),
)

experiment<Refusing>({ fault: 'MISCONF: snapshots cannot be written', ...sizes }, (size) => {
  const inTheWay = ({ directory }: MortalRedis) => join(directory, 'dump.rdb')
  const snapshot = async (redis: MortalRedis, status: string) => {
    await redis.tell('BGSAVE')
    const done = `rdb_last_bgsave_status:${status}`
    await until(async () => String(await redis.tell('INFO', 'persistence')).includes(done))
  }
  return whileRefusing(size, {
    args: ['--save', '3600 100000000'],
    async begin(redis) {
      await mkdir(inTheWay(redis))
      await snapshot(redis, 'err')
    },
    async end(redis) {
      await rmdir(inTheWay(redis))
      await snapshot(redis, 'ok')
    },
  })
})

const asUser = {
  login: 'tasks:secret@',
  before: (redis: MortalRedis) =>
    redis.tell('ACL', 'SETUSER', 'tasks', 'on', '>secret', '~*', '&*', '+@all'),
}

experiment<Refusing>({ fault: 'NOPERM: rights taken away', ...sizes }, (size) =>
  whileRefusing(size, {
    ...asUser,
    begin: (redis) => redis.tell('ACL', 'SETUSER', 'tasks', '-@scripting', '-@blocking'),
    end: (redis) => redis.tell('ACL', 'SETUSER', 'tasks', '+@all'),
  }),
)

experiment<Refusing>({ fault: 'WRONGPASS: the password changed', ...sizes }, (size) =>
  whileRefusing(size, {
    ...asUser,
    async begin(redis) {
      await redis.tell('ACL', 'SETUSER', 'tasks', 'resetpass', '>another')
      await redis.tell('CLIENT', 'KILL', 'USER', 'tasks')
    },
    end: (redis) => redis.tell('ACL', 'SETUSER', 'tasks', '>secret'),
  }),
)

/** So slow that loading takes the seconds of the experiment, and answering meanwhile. */
const slowly = (ms: number) => [
  '--key-load-delay',
  `${ms}`,
  '--loading-process-events-interval-bytes',
  '1024',
]

experiment<Refusing>({ fault: 'LOADING in a server that goes on', ...sizes }, ({ ms }) => {
  let reloading: Promise<unknown> = Promise.resolve()
  return whileRefusing(
    { ms: 0 },
    {
      args: slowly(ms),
      before: (redis) => redis.tell('DEBUG', 'POPULATE', 1000, 'ballast', 100),
      async begin(redis) {
        reloading = redis.tell('DEBUG', 'RELOAD')
      },
      end: () => reloading,
    },
  )
})

experiment<Refusing>({ fault: 'LOADING after a restart', ...sizes }, ({ ms }) =>
  whileRefusing(
    { ms: 0 },
    {
      args: appendOnly('always'),
      async before(redis) {
        await redis.tell('DEBUG', 'POPULATE', 1000, 'ballast', 100)
        await redis.tell('BGREWRITEAOF')
        const written = 'aof_rewrite_in_progress:0'
        await until(async () => String(await redis.tell('INFO', 'persistence')).includes(written))
      },
      begin: async (redis) => {
        await redis.kill()
        await redis.start(slowly(ms))
      },
      end: async () => undefined,
    },
  ),
)
