import { expect } from 'vitest'
import { until } from '../support/redis.js'
import { machineNow } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'

interface Way {
  /** Of the task `poison`. */
  readonly how: string
  /** What the dead letter tells: exit code or signal, and last words. */
  readonly told: RegExp
  readonly env?: Readonly<Record<string, string>>
}

const ways: readonly Way[] = [
  { how: 'killed', told: /signal SIGKILL.*something terrible/s },
  { how: 'exits', told: /exit code 3/ },
  {
    how: 'memory',
    told: /signal SIGABRT.*heap out of memory/s,
    env: { NODE_OPTIONS: '--max-old-space-size=96' },
  },
  { how: 'loops', told: /signal SIGKILL.*stood still for \d+ s \(worker\.maxBlocked\)/s },
  { how: 'uncaught', told: /exit code \d+.*thrown by a callback/s },
  { how: 'unhandled', told: /exit code \d+.*rejected and never looked at/s },
]

interface Death {
  readonly deaths: number
  /** ms from the first death until all had ended. */
  readonly buried: number
}

/** One poison and its bystanders in one worker; resolves when all have ended. */
async function poisoned({ how, told, env = {} }: Way, bystanders: number): Promise<Death> {
  const fleet = await makeFleet({
    concurrency: bystanders + 1,
    lease: '1s',
    // Nothing but the loop that stands still is to end by it: eating memory takes a while too.
    worker: { maxBlocked: how === 'loops' ? '2s' : 0, shutdownGrace: '300ms' },
  })
  const { id } = await fleet.client.enqueue('poison', { n: -1, how })
  const others = await fleet.client.enqueueMany(
    'gated',
    Array.from({ length: bystanders }, (_, n) => ({ n })),
  )
  const worker = await fleet.work({ env, early: true })
  const deaths = () => fleet.ledger.starts().filter((line) => line.id === id)
  // All of them are lost twice in its company; what is suspected runs alone, as many as places are.
  const ends = () => worker.output().match(/a new one starts in/g)?.length ?? 0
  await until(() => ends() === 2, { timeout: 100_000, describe: `${how} to end two kernels` })
  await fleet.openGate()
  const ids = others.map((task) => task.id)
  const seen = await fleet.ended([id, ...ids])
  const ended = machineNow()
  expect(seen).toEqual(['dead', ...ids.map(() => 'completed')])
  await unharmed(fleet, ids)
  const buried = await fleet.client.task(id)
  expect(buried?.attempts).toMatchObject([
    { outcome: 'bury', error: { code: 'crashed', message: expect.stringMatching(told) } },
  ])
  // Each of them in another process, of which the kernel that watched the last ones lives.
  const pids = deaths().map(({ pid }) => pid)
  expect(new Set(pids).size).toBe(pids.length)
  expect(ends()).toBe(2)
  expect(worker.child.exitCode).toBeNull()
  return { deaths: pids.length, buried: ended - (deaths()[0]?.at ?? ended) }
}

/** Each ended once, and no attempt was spent. */
async function unharmed(fleet: Fleet, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    expect(await fleet.client.task(id)).toMatchObject({
      attempt: 1,
      attempts: [{ attempt: 1, outcome: 'complete' }],
    })
    expect(fleet.ledger.ends().filter((line) => line.id === id)).toHaveLength(1)
  }
}

interface Poison {
  readonly hows: readonly string[]
  readonly bystanders: number
}

experiment<Poison>(
  {
    fault: 'a task that ends its process, with bystanders',
    // The others are in test/cli/crash.test.ts: each takes seven processes.
    short: { hows: ['killed', 'memory', 'loops'], bystanders: 2 },
    long: { hows: ways.map(({ how }) => how), bystanders: 9 },
  },
  async ({ hows, bystanders }, progress) => {
    const seen: string[] = []
    let slowest = 0
    const all = ways.filter(({ how }) => hows.includes(how))
    // Three at once, for each of them means processes.
    for (let i = 0; i < all.length; i += 3) {
      const some = all.slice(i, i + 3)
      progress(some.map(({ how }) => how).join(', '))
      const found = await Promise.all(some.map((way) => poisoned(way, bystanders)))
      for (const [j, { deaths, buried }] of found.entries()) {
        const how = some[j]?.how
        // Twice in company, then twice alone.
        expect({ how, deaths }).toEqual({ how, deaths: 4 })
        seen.push(`${how}: dead after ${deaths}`)
        slowest = Math.max(slowest, buried)
      }
    }
    seen.push(`0 innocents dead, all ended after ${(slowest / 1000).toFixed(0)} s at most`)
    const acknowledged = all.length * (bystanders + 1)
    return { acknowledged, lost: 0, twice: 0, lease: 1000, seen: seen.join(', ') }
  },
)

experiment<{ readonly neighbours: number }>(
  {
    fault: 'an error that no handler catches: what runs beside it may end',
    short: { neighbours: 9 },
  },
  async ({ neighbours }) => {
    const fleet = await makeFleet({ worker: { shutdownGrace: '2s' } })
    const { id } = await fleet.client.enqueue('poison', { n: -1, how: 'uncaught' })
    const others = await fleet.client.enqueueMany(
      'note',
      Array.from({ length: neighbours }, (_, n) => ({ n, ms: 500 })),
    )
    const worker = await fleet.work({ early: true })
    const ids = others.map((task) => task.id)
    expect(await fleet.ended([id, ...ids])).toEqual(['dead', ...ids.map(() => 'completed')])
    await unharmed(fleet, ids)
    // Within the grace of the first kernel that crashed: none of them began again.
    expect(fleet.ledger.starts().filter(({ n }) => n >= 0)).toHaveLength(neighbours)
    expect(worker.output()).toContain('An error that nobody caught; the kernel stops')
    return { acknowledged: neighbours + 1, lost: 0, twice: 0, seen: 'each ran once' }
  },
)
