import { expect } from 'vitest'
import { kernelOf } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { makeFleet } from './rig/fleet.js'

const ways = ['throws', 'hangs', 'rejects'] as const
/** Runs that the definition of `failing` gives. */
const attempts = 3
const codes = { throws: 'failed', hangs: 'timeout', rejects: 'failed' }

experiment<{ readonly each: number }>(
  {
    fault: 'a handler that always throws, hangs past its timeout, rejects with undefined',
    short: { each: 1 },
    long: { each: 20 },
  },
  async ({ each }) => {
    // One slot: whoever keeps it stops all others.
    const fleet = await makeFleet({ concurrency: 1 })
    const worker = await fleet.work()
    const failing = ways.flatMap((how) => Array.from({ length: each }, () => how))
    const bad = await fleet.client.enqueueMany(
      'failing',
      failing.map((how, i) => ({ n: -1 - i, how })),
    )
    const good = await fleet.client.enqueueMany(
      'note',
      Array.from({ length: 10 * each }, (_, n) => ({ n })),
    )
    const ids = [...bad, ...good].map(({ id }) => id)
    expect(await fleet.ended(ids)).toEqual([
      ...bad.map(() => 'dead'),
      ...good.map(() => 'completed'),
    ])
    for (const [i, { id }] of bad.entries()) {
      const task = await fleet.client.task(id)
      const how = failing[i] ?? 'throws'
      expect(task?.attempts.map(({ outcome, error }) => [outcome, error?.code])).toEqual([
        ['retry', codes[how]],
        ['retry', codes[how]],
        ['bury', codes[how]],
      ])
      expect(fleet.ledger.starts().filter((line) => line.id === id)).toHaveLength(attempts)
    }
    const starts = fleet.ledger.starts().filter(({ n }) => n >= 0)
    expect(starts.map(({ n }) => n).sort((a, b) => a - b)).toEqual(good.map((_, n) => n))
    expect(worker.kernels()).toEqual([kernelOf(worker)])
    const seen = `${bad.length} dead after ${attempts} attempts each`
    return { acknowledged: ids.length, lost: 0, twice: 0, seen }
  },
)
