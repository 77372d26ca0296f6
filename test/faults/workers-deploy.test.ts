import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { until } from '../support/redis.js'
import { account } from './rig/account.js'
import { otherBuild } from './rig/build.js'
import { kernelOf, startedAgain } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'

interface Deploy {
  readonly workers: number
  readonly rate: number
  /** Each replaces every worker by one of the other build. */
  readonly rounds: number
}

experiment<Deploy>(
  {
    fault: 'a rolling deploy under load, two builds with other scripts side by side',
    short: { workers: 2, rate: 200, rounds: 1 },
    long: { workers: 3, rate: 500, rounds: 4 },
  },
  async ({ workers, rate, rounds }, progress) => {
    const fleet = await makeFleet({ worker: { shutdownGrace: '10s' } })
    const builds = [{ program: await otherBuild() }, {}]
    /** By build, the pids that worked for it. */
    const pids = builds.map(() => new Set<number>())
    const begin = async (build: number) => {
      const worker = await fleet.work(builds[build])
      pids[build]?.add(kernelOf(worker))
      return worker
    }
    let fleetNow = await Promise.all(Array.from({ length: workers }, () => begin(0)))
    const load = startLoad(fleet.client, {
      rate,
      task: (n) => ({ type: 'note', payload: { n, ms: 20 } }),
    })
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`)
      const next: typeof fleetNow = []
      for (const old of fleetNow) {
        next.push(await begin(round % 2))
        old.child.kill('SIGTERM')
        expect(await old.ended).toBe(0)
      }
      fleetNow = next
    }
    const { length } = fleet.ledger.starts()
    await until(() => fleet.ledger.starts().length > length + rate / 2, { timeout: 60_000 })
    await load.stop()
    const { lost, twice, acknowledged } = await account(fleet, load.acknowledged)
    expect({ lost, twice, refused: [...load.refused] }).toEqual({ lost: 0, twice: 0, refused: [] })
    expect(startedAgain(fleet.ledger)).toEqual([])
    const ran = pids.map((own) => fleet.ledger.starts().filter(({ pid }) => own.has(pid)).length)
    expect(Math.min(...ran)).toBeGreaterThan(0)
    const seen = `${ran[0]} by one build, ${ran[1]} by the other`
    return { acknowledged, lost, twice, again: 'none', seen }
  },
)

experiment<{ readonly tasks: number }>(
  {
    fault: 'a task type that the build before does not know',
    short: { tasks: 5 },
    long: { tasks: 500 },
  },
  async ({ tasks }) => {
    const fleet = await makeFleet()
    const old = join(fleet.directory, 'before.config.ts')
    await writeFile(
      old,
      `import config from './redisdistro.config.js'
const [plugin] = config.plugins
const tasks = plugin.tasks.filter(({ type }) => type !== 'note')
export default { ...config, plugins: [{ ...plugin, tasks }] }`,
    )
    const before = await fleet.work({ args: ['--config', old] })
    const numbered = Array.from({ length: tasks }, (_, n) => ({ n }))
    const ids = (await fleet.client.enqueueMany('note', numbered)).map(({ id }) => id)
    // The old build has had each of them, and has put it aside.
    const aside = async () => (await fleet.operator.queue('default')).depth.scheduled === tasks
    await until(aside, { timeout: 60_000, describe: 'the tasks to be set aside' })
    const fresh = await fleet.work({ early: true })
    const other = await fleet.client.enqueue('stubborn', { n: tasks, ms: 0 })
    expect(await fleet.ended([other.id])).toEqual(['completed'])
    await fresh.ready()
    expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
    for (const id of ids) {
      const attempts = [{ attempt: 1, outcome: 'complete' }]
      const result = kernelOf(fresh)
      expect(await fleet.client.task(id)).toMatchObject({ attempt: 1, attempts, result })
    }
    expect(kernelOf(before)).not.toBe(kernelOf(fresh))
    const seen = 'put aside unspent, run by the new build'
    return { acknowledged: tasks + 1, lost: 0, twice: 0, seen }
  },
)
