import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { transitions } from '../../src/core/state.js'
import { experiment } from '../faults/rig/experiment.js'
import { fc } from '../support/fuzz.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import type { Real } from './action.js'
import { openStore, type Store } from './real.js'
import { runModel } from './run-model.js'
import { weighed } from './steps.js'
import { Trial } from './trial.js'

/** The command's own model is the trial's. */
type Empty = Record<string, never>

// A server of its own: its scripts are flushed again and again.
let redis: TestRedis
let store: Store
beforeAll(async () => {
  redis = await startRedis()
  store = await openStore(redis.url, 'model')
})
afterAll(async () => {
  await store.close()
  await redis.stop()
})

/** One step, with the dice that it throws; what it comes to depends on what was done before. */
class Step implements fc.AsyncCommand<Empty, Trial> {
  readonly #kind: string
  readonly #thrown: readonly number[]
  #says: string

  constructor(kind: string, thrown: readonly number[]) {
    this.#kind = kind
    this.#thrown = thrown
    this.#says = `${kind} (not reached)`
  }

  check(): boolean {
    return true
  }

  async run(_: Empty, trial: Trial): Promise<void> {
    const before = trial.history.length
    try {
      await trial.step(this.#kind, this.#thrown)
    } finally {
      this.#says = trial.history[before] ?? `${this.#kind} (nothing to do)`
    }
    // A look costs more than a step; what fails is shrunk to its cause all the same.
    if (before % 5 === 0) await trial.look()
  }

  toString(): string {
    return `\n  ${this.#says}`
  }
}

const dice = fc.array(fc.nat(997), { minLength: 14, maxLength: 14 })
const steps = weighed.map((kind) => dice.map((thrown) => new Step(kind, thrown)))

/** Many short histories; one that fails is made as short as it will go, and told with its seed. */
async function check(
  parameters: fc.Parameters<[Iterable<fc.AsyncCommand<Empty, Trial>>]>,
): Promise<void> {
  const property = fc.asyncProperty(
    fc.commands(steps, { maxCommands: 60, size: 'max' }),
    async (commands) => {
      const real: Real = store.fresh()
      try {
        const trial = new Trial(real)
        await fc.asyncModelRun(() => ({ model: {}, real: trial }), commands)
        await trial.look()
      } finally {
        await store.clear(real)
      }
    },
  )
  await fc.assert(property, parameters)
}

test('random histories leave the store as the model of the states has it', async () => {
  await check({ numRuns: 30 })
}, 60_000)

/** All that the table of states allows, as `from → to`. */
const allowed = Object.values(transitions).flatMap(({ from, to }) =>
  from.flatMap((start) => to.map((end) => `${start} → ${end}`)),
)

test('so do those of fixed seeds, which make every move of the table and no other', async () => {
  const call = { urls: [redis.url], prefix: 'seeds', seeds: [1, 2, 3, 4], steps: 1000 }
  const { moves, steps } = await runModel(call)
  expect(steps).toBe(4000)
  expect(moves).toEqual([...new Set(allowed)].sort())
}, 60_000)

interface Long {
  readonly seeds: number
  /** For each seed. */
  readonly steps: number
}

experiment<Long>(
  {
    fault: 'model test: random interleavings and time jumps',
    long: { seeds: 20, steps: 100_000 },
    timeout: 3_600_000,
  },
  async ({ seeds, steps }, progress) => {
    const second = await startRedis()
    onTestFinished(() => second.stop())
    const result = await runModel({
      urls: [redis.url, second.url],
      prefix: 'long',
      seeds: Array.from({ length: seeds }, (_, i) => 100 + i),
      steps,
      progress: (done) => progress(`seed ${done.seed}: ${done.steps} steps`),
    })
    expect(result.moves).toEqual([...new Set(allowed)].sort())
    const minutes = (result.milliseconds / 60_000).toFixed(1)
    return {
      seen: `${result.steps.toLocaleString('en')} steps of ${seeds} seeds in ${minutes} min, the store as the model has it`,
    }
  },
)
