import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/broker/index.js'
import type { LeasedTask } from '../../src/core/broker.js'
import { type State, states, type TransitionName, transitions } from '../../src/core/state.js'
import { error, Stage } from './stage.js'

const day = 86_400_000

/** Asks for a transition of one task; what it answers does not matter here, only what it changes. */
type Ask = (stage: Stage, task: { id: string; lease: LeasedTask }) => Promise<unknown>

const settle =
  (outcome: Parameters<Stage['settlement']>[1]): Ask =>
  (stage, { lease }) =>
    stage.settle(lease, outcome)

const asks: Record<TransitionName, Ask> = {
  enqueue: (stage, { id }) => stage.broker.enqueue(stage.partition, [stage.task({ id })], true),
  promote: (stage, { id }) => stage.broker.promote(stage.partition, [id]),
  lease: (stage) => stage.cycle({ wanted: 100 }),
  complete: settle({ name: 'complete', result: 2 }),
  retry: settle({ name: 'retry', after: 5, error }),
  bury: settle({ name: 'bury', error }),
  release: settle({ name: 'release' }),
  rescue: async (stage) => {
    await stage.broker.rescue(stage.partition, 60_000)
    stage.now += 25_000
    await stage.broker.rescue(stage.partition, 60_000)
    stage.now += 25_000
    await stage.broker.rescue(stage.partition, 60_000)
    stage.now += 25_000
    await stage.broker.rescue(stage.partition, 60_000)
  },
  cancel: (stage, { id }) => stage.broker.cancel(stage.partition, [id]),
  expire: (stage) =>
    stage.broker.prune(stage.partition, {
      completed: { age: day, count: 100 },
      dead: { age: day, count: 100 },
      cancelled: { age: day, count: 100 },
    }),
  requeue: (stage, { id }) => stage.broker.requeue(stage.partition, [id]),
  prune: (stage, { id }) => stage.broker.erase(stage.partition, [id]),
}

/** A lease that is over: what a worker would say long after. */
const stale = (id: string): LeasedTask => ({
  id,
  fence: '0000000000000001',
  leasedAt: 0,
  priority: 'normal',
  body: { type: 'noop', payload: null, enqueuedAt: 0, overrides: {}, tags: [] },
  deadLetter: 'dead',
  flags: { own: false, expires: false, unique: 'none' },
  failures: 0,
  losses: 0,
  deaths: 0,
  mismatchSince: 0,
})

/** From the table: where a transition may start it moves, everywhere else it changes nothing. */
export function transitionContract(connect: () => ConnectionSettings): void {
  let stage: Stage
  beforeEach(async () => {
    stage = new Stage(connect())
    await stage.open()
  })
  afterEach(() => stage.broker.close())

  const look = async (id: string, from: State) => {
    const { state, attempts, failures, losses, result } = (await stage.find(id)) ?? {
      state: 'gone' as const,
    }
    const { depth } = await stage.broker.counts(stage.partition)
    const { total } = await stage.broker.stats(stage.partition, 1)
    return { from, state, attempts, failures, losses, result, depth, total }
  }

  for (const [name, transition] of Object.entries(transitions)) {
    describe(name, () => {
      for (const state of states) {
        const allowed = (transition.from as readonly string[]).includes(state)
        test(`${allowed ? 'moves' : 'is refused and changes nothing'} from ${state}`, async () => {
          const { id, lease } = await stage.bring(state, name === 'expire' ? { expiresIn: 10 } : {})
          expect(await stage.state(id)).toBe(state)
          const before = await look(id, state)
          if (name === 'expire') stage.now += 20
          await asks[name as TransitionName](stage, { id, lease: lease ?? stale(id) })
          const after = await look(id, state)
          if (allowed) expect(transition.to as readonly string[]).toContain(after.state)
          else expect(after).toEqual(before)
        })
      }
    })
  }
}
