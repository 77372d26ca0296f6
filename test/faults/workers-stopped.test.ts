import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { until } from '../support/redis.js'
import { kernelOf } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'

interface Leases {
  readonly lease: number
  /** How many of them it takes. */
  readonly leases: number
}

experiment<Leases & { readonly active: number }>(
  {
    fault: 'a worker stopped (SIGSTOP) for four leases: its late word',
    short: { active: 5, lease: 1000, leases: 4 },
    long: { active: 50, lease: 5000, leases: 4 },
  },
  async ({ active, lease, leases }) => {
    const fleet = await makeFleet({ concurrency: active, lease: `${lease}ms` })
    const stopped = await fleet.work()
    const numbered = Array.from({ length: active }, (_, n) => ({ n }))
    const ids = (await fleet.client.enqueueMany('gated', numbered)).map(({ id }) => id)
    await until(() => fleet.ledger.starts().length === active, { timeout: 60_000 })
    const pid = kernelOf(stopped)
    process.kill(pid, 'SIGSTOP')
    const other = await fleet.work()
    await until(() => fleet.ledger.starts().length === 2 * active, { timeout: 60_000 })
    // Its handlers end as soon as it goes on, and say so under a lease that it has no more.
    await fleet.openGate()
    expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
    await wait(leases * lease)
    process.kill(pid, 'SIGCONT')
    await until(() => stopped.output().includes('The lease was lost; beginning again'), {
      timeout: 60_000,
    })
    await until(() => fleet.ledger.ends().length === 2 * active, { timeout: 60_000 })
    // Whatever it had to say has been said when it has settled something new.
    other.child.kill('SIGTERM')
    expect(await other.ended).toBe(0)
    const next = await fleet.client.enqueue('gated', { n: active })
    expect(await fleet.ended([next.id])).toEqual(['completed'])
    expect(await fleet.client.task(next.id)).toMatchObject({ result: pid })
    const tasks = await Promise.all(ids.map((id) => fleet.client.task(id)))
    const [result] = other.kernels()
    for (const task of tasks) {
      const attempts = [{ attempt: 1, outcome: 'complete' }]
      expect(task).toMatchObject({ state: 'completed', attempt: 1, attempts, result })
    }
    const { depth } = await fleet.operator.stats()
    expect(depth).toMatchObject({ completed: active + 1, dead: 0, waiting: 0, active: 0 })
    const seen = 'every late word refused'
    const again = `${active} that the stopped worker had`
    return { acknowledged: active, lost: 0, twice: active, lease, again, seen }
  },
)

experiment<Leases>(
  {
    fault: 'an event loop blocked for more than four leases, and a task of ten',
    short: { lease: 1000, leases: 4.5 },
    long: { lease: 5000, leases: 4.5 },
  },
  async ({ lease, leases }) => {
    const fleet = await makeFleet({ concurrency: 2, lease: `${lease}ms` })
    const workers = await Promise.all([fleet.work(), fleet.work()])
    const blocked = await fleet.client.enqueue('blocking', { n: 1, ms: leases * lease })
    const healthy = await fleet.client.enqueue('note', { n: 2, ms: 10 * lease })
    expect(await fleet.ended([blocked.id, healthy.id])).toEqual(['completed', 'completed'])
    for (const { id } of [blocked, healthy]) {
      const lines = fleet.ledger.lines().filter((line) => line.id === id)
      expect(lines.map(({ word, attempt }) => [word, attempt])).toEqual([
        ['start', 1],
        ['end', 1],
      ])
      expect(await fleet.client.task(id)).toMatchObject({ attempt: 1, result: lines[0]?.pid })
    }
    expect(workers.map((worker) => worker.kernels().length)).toEqual([1, 1])
    return { acknowledged: 2, lost: 0, twice: 0, lease, seen: 'each ran once' }
  },
)
