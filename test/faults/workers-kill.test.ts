import { expect } from 'vitest'
import { until } from '../support/redis.js'
import { account } from './rig/account.js'
import { killBoth, killKernel, machineNow, recoveryOf, startedAgain } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'
import { startLoad } from './rig/load.js'

interface Kills {
  readonly rounds: number
  /** At least; more where the rounds last longer. */
  readonly tasks: number
  readonly rate: number
  /** ms. One of a second is short for a process that starts on a machine with much else to do. */
  readonly lease: number
}

experiment<Kills>(
  {
    fault: 'kill -9 of one of three workers each round, of all three in one of ten',
    short: { rounds: 3, tasks: 1000, rate: 200, lease: 3000 },
    long: { rounds: 100, tasks: 100_000, rate: 500, lease: 1000 },
  },
  async ({ rounds, tasks, rate, lease }, progress) => {
    const concurrency = 10
    const fleet = await makeFleet({ concurrency, lease: `${lease}ms` })
    const workers = await Promise.all([fleet.work(), fleet.work(), fleet.work()])
    const kernels = new Set(workers.flatMap((worker) => worker.kernels()))
    const load = startLoad(fleet.client, {
      rate,
      task: (n) => ({ type: 'note', payload: { n, ms: 20 } }),
    })
    /** By pid: when it was killed, or when someone was up again where all of them were. */
    const killed = new Map<number, number>()
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`)
      const whole = round % 10 === 0 || round === rounds
      const doomed = whole ? workers.splice(0) : workers.splice(round % 3, 1)
      const pids = await Promise.all(doomed.map(killBoth))
      for (const pid of pids) killed.set(pid, machineNow())
      const fresh = await Promise.all(doomed.map(() => fleet.work()))
      for (const pid of fresh.flatMap((worker) => worker.kernels())) kernels.add(pid)
      workers.push(...fresh)
      if (whole) for (const pid of pids) killed.set(pid, machineNow())
    }
    progress('the rest')
    const enough = () => load.acknowledged.size >= tasks
    await until(enough, { timeout: 300_000, describe: 'enough tasks to be enqueued' })
    await load.stop()
    const { lost, twice, acknowledged } = await account(fleet, load.acknowledged)
    const { depth } = await fleet.operator.stats()
    expect([...load.refused]).toEqual([])
    expect({ lost, dead: depth.dead }).toEqual({ lost: 0, dead: 0 })
    // Only what a worker was running when it was killed began again.
    const again = startedAgain(fleet.ledger)
    expect(again.length).toBeLessThanOrEqual(killed.size * concurrency)
    expect(again.filter(({ pid }) => kernels.has(pid) && !killed.has(pid))).toEqual([])
    const { recovery, suspects, alone } = recoveryOf(fleet.ledger, killed)
    expect(recovery).toBeLessThan(10 * lease)
    const words = `${again.length} that a killed worker had`
    const seen = suspects > 0 && `${suspects} ran alone, ${(alone / 1000).toFixed(1)} s at most`
    return { acknowledged, lost, twice, lease, recovery, again: words, ...(seen && { seen }) }
  },
)

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

/** Enqueues tasks that wait for the gate; resolves with their ids when each of them runs. */
async function runGated(fleet: Fleet, count: number): Promise<string[]> {
  const tasks = await fleet.client.enqueueMany('gated', numbered(count))
  const running = () => fleet.ledger.starts().length === count
  await until(running, { timeout: 60_000, describe: `${count} tasks to run` })
  return tasks.map(({ id }) => id)
}

/** What was lost with a process runs again, ends once and has cost no attempt. */
async function settledOnce(fleet: Fleet, ids: readonly string[]): Promise<void> {
  const running = () => fleet.ledger.starts().length === 2 * ids.length
  await until(running, { timeout: 120_000, describe: 'all of them to run again' })
  await fleet.openGate()
  expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
  const tasks = await Promise.all(ids.map((id) => fleet.client.task(id)))
  expect(tasks.map((task) => task?.attempt)).toEqual(ids.map(() => 1))
  expect(fleet.ledger.ends()).toHaveLength(ids.length)
}

interface Kill {
  readonly active: number
  readonly lease: number
}

interface How {
  readonly kill: 'kernel' | 'both'
  /** A folder for temporary files of its own: the others cannot tell its end, as another machine's. */
  readonly far?: boolean
}

const killOne = (fault: string, { kill, far = false }: How, sizes: { short?: Kill; long: Kill }) =>
  experiment<Kill>({ fault, ...sizes }, async ({ active, lease }) => {
    const fleet = await makeFleet({ concurrency: active, lease: `${lease}ms` })
    const doomed = await fleet.work(far ? { env: { TMPDIR: fleet.directory } } : {})
    const ids = await runGated(fleet, active)
    await fleet.work()
    const began = machineNow()
    const pid = kill === 'kernel' ? killKernel(doomed) : await killBoth(doomed)
    await settledOnce(fleet, ids)
    const { recovery } = recoveryOf(fleet.ledger, new Map([[pid, began]]))
    expect(recovery).toBeLessThan(lease + 30_000)
    const again = `${active} that the killed worker had`
    return { acknowledged: active, lost: 0, twice: 0, lease, recovery, again }
  })

// A lease that no test waits for: who is on its machine knows better.
const endless = { active: 20, lease: 600_000 }
killOne(
  'kill -9 of a worker, all it runs waits: last one restarted',
  { kill: 'kernel' },
  { short: endless, long: { active: 200, lease: 30_000 } },
)
killOne('the same with a lease of 5 s', { kill: 'kernel' }, { long: { active: 200, lease: 5000 } })
killOne(
  'kill -9 of a worker and of its supervisor: last one restarted',
  { kill: 'both' },
  { short: endless, long: { active: 200, lease: 30_000 } },
)
killOne(
  'the same of both with a lease of 5 s',
  { kill: 'both' },
  { long: { active: 200, lease: 5000 } },
)
killOne(
  'the end of a whole machine: last one restarted on another one',
  { kill: 'both', far: true },
  { short: { active: 20, lease: 1000 }, long: { active: 200, lease: 30_000 } },
)
killOne(
  'the end of a whole machine with a lease of 5 s',
  { kill: 'both', far: true },
  { long: { active: 200, lease: 5000 } },
)

interface Down extends Kill {
  readonly workers: number
}

experiment<Down>(
  {
    fault: 'kill -9 of all workers and their supervisors, then a fresh one',
    short: { workers: 2, active: 10, lease: 1000 },
    long: { workers: 5, active: 10, lease: 5000 },
  },
  async ({ workers, active, lease }) => {
    const all = workers * active
    const fleet = await makeFleet({ concurrency: active, lease: `${lease}ms` })
    const old = await Promise.all(Array.from({ length: workers }, () => fleet.work()))
    const ids = await runGated(fleet, all)
    const pids = await Promise.all(old.map(killBoth))
    const ready = old.map(async () => {
      const worker = await fleet.work()
      return { worker, at: machineNow() }
    })
    const fresh = (await Promise.all(ready)).map(({ worker }) => worker)
    const up = Math.min(...(await Promise.all(ready)).map(({ at }) => at))
    await settledOnce(fleet, ids)
    const { recovery } = recoveryOf(fleet.ledger, new Map(pids.map((pid) => [pid, up])))
    expect(recovery).toBeLessThan(2 * lease + 30_000)
    expect(fresh.map((worker) => worker.kernels().length)).toEqual(fresh.map(() => 1))
    const again = `${all} that the killed workers had`
    return { acknowledged: all, lost: 0, twice: 0, lease, recovery, again }
  },
)
