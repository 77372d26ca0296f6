import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { testPrefix, until } from '../support/redis.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'
import { appendOnly, type MortalRedis, makeRedis } from './rig/redis.js'
import { nextStart } from './rig/under-load.js'

const lease = 1000

/** The file that grows, under the names of different versions. */
async function fileOf({ directory }: MortalRedis): Promise<string> {
  const names = await readdir(directory, { recursive: true })
  const name = names.find((each) => each.endsWith('.incr.aof') || each === 'appendonly.aof')
  return join(directory, name ?? '')
}

interface Look {
  readonly at: number
  readonly size: number
  /** How many were acknowledged before the file was this large. */
  readonly acknowledged: number
}

interface Cut {
  /** ms for which callers enqueue. */
  readonly ms: number
}

/**
 * Callers enqueue, the server is killed, and its file is cut back to what it was so many ms before:
 * the system had not written the rest. Then all starts again. Gives the tasks that are gone, and
 * those that were acknowledged before the cut.
 */
async function cutPower(
  redis: MortalRedis,
  fleet: Fleet,
  { ms, unsynced }: Cut & { unsynced: number },
) {
  const path = await fileOf(redis)
  const load = startLoad(fleet.client, { rate: 500 })
  const looks: Look[] = []
  const end = performance.now() + ms
  /** On a busy machine callers may come late: something must have been acknowledged before the cut. */
  const early = () =>
    looks.some(
      ({ at, acknowledged }) => acknowledged > 0 && at <= performance.now() - unsynced - 200,
    )
  while (performance.now() < end || !early()) {
    const acknowledged = load.acknowledged.size
    looks.push({ at: performance.now(), size: (await stat(path)).size, acknowledged })
    await wait(20)
  }
  await redis.kill()
  const killed = performance.now()
  await load.stop()
  const kept = looks.findLast(({ at }) => at <= killed - unsynced)
  if (unsynced > 0 && kept) await truncate(path, kept.size)
  await redis.start()
  await fleet.work()
  const recovery = await nextStart(fleet)
  await until(
    async () => {
      const { depth } = await fleet.operator.queue('default')
      return depth.waiting + depth.active === 0
    },
    { timeout: 60_000 },
  )
  const ends = new Set(fleet.ledger.ends().map(({ n }) => n))
  const all = [...load.acknowledged]
  return {
    acknowledged: all.length,
    lost: all.filter((n) => !ends.has(n)),
    safe: new Set(all.slice(0, unsynced > 0 ? kept?.acknowledged : undefined)),
    twice: fleet.ledger.ends().length - ends.size,
    recovery,
  }
}

async function makeField(fsync: 'always' | 'everysec') {
  const redis = await makeRedis({ args: appendOnly(fsync) })
  return { redis, fleet: await makeFleet({ redis: { url: redis.url, prefix: testPrefix() } }) }
}

experiment<Cut>(
  { fault: 'power cut, appendfsync always', short: { ms: 1500 }, long: { ms: 10_000 } },
  async ({ ms }) => {
    const { redis, fleet } = await makeField('always')
    const { lost, safe, ...rest } = await cutPower(redis, fleet, { ms, unsynced: 0 })
    expect(safe.size).toBe(rest.acknowledged)
    expect([lost, rest.twice]).toEqual([[], 0])
    return { ...rest, lost: 0, lease }
  },
)

experiment<Cut>(
  {
    fault: 'power cut, appendfsync everysec: a second not on the disk yet',
    short: { ms: 2500 },
    long: { ms: 10_000 },
  },
  async ({ ms }) => {
    const { redis, fleet } = await makeField('everysec')
    const { lost, safe, ...rest } = await cutPower(redis, fleet, { ms, unsynced: 1000 })
    // That much goes, and no task that was acknowledged before it.
    expect(lost.filter((n) => safe.has(n))).toEqual([])
    expect(safe.size).toBeGreaterThan(0)
    expect([lost.length > 0, rest.twice]).toEqual([true, 0])
    return { ...rest, lost: lost.length, lease }
  },
)
