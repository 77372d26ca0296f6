import { loadScripts, openStore, type Store } from './real.js'
import { kindAt } from './steps.js'
import { Trial } from './trial.js'

export interface ModelRun {
  /** Of redis-servers of its own: as many seeds are run at a time. */
  readonly urls: readonly string[]
  readonly prefix: string
  readonly seeds: readonly number[]
  /** For each seed. */
  readonly steps: number
  /** Called now and then. */
  progress?(done: { readonly seed: number; readonly steps: number }): void
}

export interface ModelRunResult {
  readonly seeds: number
  /** In all. */
  readonly steps: number
  readonly milliseconds: number
  /** Every move that a task made, as `from → to`. */
  readonly moves: readonly string[]
}

/** Numbers from 0 to 1 that a seed gives again and again. */
function numbersOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How many steps are sent before the answer of the first is waited for. */
const window = 40
/** How often all of the store is looked at, and its counters, in steps. */
const lookEvery = 100
const countEvery = 2000

interface SeedRun {
  readonly seed: number
  readonly steps: number
  readonly carefulFrom: number
  done(step: number): void
}

/** One seed's steps on a partition of its own; `carefulFrom` on, each is looked at. */
async function runSeed(store: Store, call: SeedRun): Promise<Set<string>> {
  const { seed, steps, carefulFrom } = call
  const real = store.fresh()
  // The seed before may have ended on a flush.
  await loadScripts(real.redis)
  const trial = new Trial(real, window)
  const next = numbersOf(seed)
  let step = 0
  try {
    for (; step < steps; step += 1) {
      const kind = kindAt(next())
      const thrown = Array.from({ length: 16 }, () => Math.floor(next() * 10_007))
      await trial.step(kind, thrown)
      if (step >= carefulFrom) await trial.settled()
      const counters = step % countEvery === 0
      if (step >= carefulFrom || step % lookEvery === 0) await trial.look({ counters })
      if (trial.history.length > 400) trial.history.splice(0, 300)
      if (step % 5000 === 0) call.done(step)
    }
    await trial.look()
    return trial.world.moves
  } catch (error) {
    throw new ModelFailure({ seed, step, trial, cause: error })
  } finally {
    await store.clear(real)
  }
}

class ModelFailure extends Error {
  readonly step: number
  constructor({
    seed,
    step,
    trial,
    cause,
  }: { seed: number; step: number; trial: Trial; cause: unknown }) {
    const words = cause instanceof Error ? cause.message : String(cause)
    const last = trial.history.slice(-40).join('\n  ')
    super(`seed ${seed}, step ${step}: ${words}\nafter:\n  ${last}`, { cause })
    this.step = step
  }
}

/** A seed; where it fails once more, with a look after each of its last steps, to find the wrong one. */
async function runTwice(store: Store, call: SeedRun): Promise<Set<string>> {
  try {
    return await runSeed(store, call)
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error
    const { step } = error
    await runSeed(store, { ...call, steps: step + 1, carefulFrom: step - 2 * lookEvery })
    throw error
  }
}

/**
 * Random steps on the real broker and on the model, for each seed on a partition of its own. Throws
 * with the seed, the step and what was done last, where the two differ anywhere.
 */
export async function runModel(run: ModelRun): Promise<ModelRunResult> {
  const start = performance.now()
  const left = [...run.seeds]
  const moves = new Set<string>()
  const lane = async (url: string) => {
    const store = await openStore(url, run.prefix)
    try {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
        const of = seed
        const done = (steps: number) => run.progress?.({ seed: of, steps })
        const call = { seed, steps: run.steps, carefulFrom: run.steps, done }
        for (const move of await runTwice(store, call)) moves.add(move)
      }
    } finally {
      left.length = 0
      await store.close()
    }
  }
  const ends = await Promise.allSettled(run.urls.map(lane))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  const milliseconds = Math.round(performance.now() - start)
  const seeds = run.seeds.length
  return { seeds, steps: seeds * run.steps, milliseconds, moves: [...moves].sort() }
}
