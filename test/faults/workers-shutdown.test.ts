import { expect } from 'vitest'
import type { Running } from '../cli/bin.js'
import { isAlive, until } from '../support/redis.js'
import { kernelOf, machineNow, recoveryOf } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, type FleetOptions, makeFleet } from './rig/fleet.js'

interface Shutdown {
  /** Of each kind, running at once. */
  readonly each: number
}

const grace = 1000
/** Whoever waits for a lease like this one waits in vain. */
const noLease: FleetOptions = { lease: '10m', worker: { shutdownGrace: `${grace}ms` } }

interface Scene {
  readonly fleet: Fleet
  readonly stopped: Running
  readonly pid: number
  /** Tasks that end within the grace, and those that heed nothing. */
  readonly short: readonly string[]
  readonly deaf: readonly string[]
}

/** A worker in its own process group that runs short and deaf tasks, and another that is idle. */
async function scene(each: number, options: FleetOptions = noLease): Promise<Scene> {
  const fleet = await makeFleet({ concurrency: 2 * each, ...options })
  const stopped = await fleet.work({ detached: true })
  const from = (first: number) => Array.from({ length: each }, (_, i) => ({ n: first + i }))
  const deaf = await fleet.client.enqueueMany('deaf', from(each))
  const short = await fleet.client.enqueueMany('gated', from(0))
  await until(() => fleet.ledger.starts().length === 2 * each, { timeout: 60_000 })
  const ids = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id)
  const pid = kernelOf(stopped)
  return { fleet, stopped, pid, short: ids(short), deaf: ids(deaf) }
}

/** Nothing of it counted as an attempt, and each came to its end once. */
async function nothingCounted({ fleet, short, deaf }: Scene): Promise<void> {
  const ids = [...short, ...deaf]
  expect(await fleet.ended(ids)).toEqual(ids.map(() => 'completed'))
  for (const id of ids) {
    const attempts = [{ attempt: 1, outcome: 'complete' }]
    expect(await fleet.client.task(id)).toMatchObject({ attempt: 1, attempts })
  }
  const ended = fleet.ledger.ends().map(({ id }) => id)
  expect(ended.sort()).toEqual(ids.sort())
}

const signals = {
  'SIGTERM to the supervisor': ({ stopped }: Scene) => stopped.child.kill('SIGTERM'),
  'SIGTERM to the whole group': ({ stopped }: Scene) =>
    process.kill(-(stopped.child.pid ?? 0), 'SIGTERM'),
  'SIGTERM to the kernel': ({ pid }: Scene) => process.kill(pid, 'SIGTERM'),
  'SIGKILL of the supervisor': ({ stopped }: Scene) => stopped.child.kill('SIGKILL'),
}

for (const [fault, stop] of Object.entries(signals)) {
  const killed = fault.startsWith('SIGKILL')
  // The supervisor does no more than that by itself.
  const short = fault.endsWith('kernel') ? {} : { short: { each: 5 } }
  experiment<Shutdown>(
    { fault: `${fault}, short and long tasks`, ...short, long: { each: 20 } },
    async ({ each }) => {
      const seen = await scene(each)
      const { fleet, stopped, pid } = seen
      const other = await fleet.work()
      const began = machineNow()
      stop(seen)
      await fleet.openGate()
      if (killed) await until(() => !isAlive(pid), { timeout: 30_000 })
      else expect(await stopped.ended).toBe(0)
      const took = machineNow() - began
      await fleet.openSecondGate()
      expect(took).toBeLessThan(grace + 20_000)
      await nothingCounted(seen)
      const again = fleet.ledger.starts().slice(2 * each)
      expect(again.map(({ id, pid: by }) => [id, by]).sort()).toEqual(
        seen.deaf.map((id) => [id, kernelOf(other)]).sort(),
      )
      const { recovery } = recoveryOf(fleet.ledger, new Map([[pid, began]]))
      return {
        acknowledged: 2 * each,
        lost: 0,
        twice: 0,
        again: `${again.length} that did not end within ${grace} ms`,
        recovery,
        seen: `gone after ${(took / 1000).toFixed(1)} s`,
      }
    },
  )
}

experiment<Shutdown>(
  { fault: 'a second SIGTERM', short: { each: 5 }, long: { each: 20 } },
  async ({ each }) => {
    const lease = 1000
    const seen = await scene(each, { lease: `${lease}ms`, worker: { shutdownGrace: '10m' } })
    const { fleet, stopped, pid } = seen
    await fleet.work()
    const began = machineNow()
    stopped.child.kill('SIGTERM')
    await until(() => stopped.output().includes('Stopping on SIGTERM'))
    const late = setInterval(() => stopped.child.kill('SIGTERM'), 700)
    expect(await stopped.ended).toBe(143)
    clearInterval(late)
    const took = machineNow() - began
    expect(isAlive(pid)).toBe(false)
    await fleet.openGate()
    await fleet.openSecondGate()
    await nothingCounted(seen)
    const { recovery } = recoveryOf(fleet.ledger, new Map([[pid, began + took]]))
    expect(recovery).toBeLessThan(lease + 20_000)
    const again = `${2 * each} that it was running`
    const words = `gone after ${(took / 1000).toFixed(1)} s`
    return { acknowledged: 2 * each, lost: 0, twice: 0, again, lease, recovery, seen: words }
  },
)
