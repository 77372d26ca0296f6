import { expect } from 'vitest'
import { until } from '../../support/redis.js'
import { type Account, account } from './account.js'
import type { Finding } from './experiment.js'
import type { Fleet } from './fleet.js'
import { type Enqueuing, type Load, startLoad } from './load.js'

/** The longest that a caller may wait, in ms: far off what is promised, for machines may be busy. */
const longestCall = 10_000
/** The same of the first task after a fault. */
const longestRecovery = 10_000
/** Who call an API at one time. */
const callers = 50

/** ms until a handler begins, of a task that was sent as number `from` or later. */
export async function nextStart(fleet: Fleet, from = 0): Promise<number> {
  const { length } = fleet.ledger.starts()
  const began = performance.now()
  const started = () =>
    fleet.ledger
      .starts()
      .slice(length)
      .some(({ n }) => n >= from)
  await until(started, { timeout: 60_000, describe: 'a task to start after the fault' })
  return performance.now() - began
}

/** Codes that say that nothing was written. */
const sure = new Set(['store_away', 'store_full'])

/** Refused, surely not written, and run all the same. */
function ranAlthoughRefused(fleet: Fleet, load: Load): number[] {
  const ran = new Set(fleet.ledger.starts().map(({ n }) => n))
  return [...load.refused].flatMap(([n, code]) => (sure.has(code) && ran.has(n) ? [n] : []))
}

export interface UnderLoad {
  /** The fleet's own client if left out. */
  readonly client?: Enqueuing
  /** Tasks in each second; 200 if left out. */
  readonly rate?: number
  /** ms that each task takes; 5 if left out. */
  readonly ms?: number
  readonly repeating?: boolean
  /** Whether the fault itself may have taken a task. */
  readonly taken?: (n: number) => boolean
}

export interface Seen extends Account {
  readonly load: Load
  /** Refusals by their code. */
  readonly refused: Readonly<Record<string, number>>
  readonly recovery: number
  /** How many of the acknowledged ones the fault took. */
  readonly taken: number
  readonly finding: Finding
}

function countsOf(load: Load): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const code of load.refused.values()) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

const wordsOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).map(([code, count]) => `${count} refused with ${code}`)

/**
 * Does something to Redis while callers enqueue and workers work, and asserts what holds under every
 * fault: nothing acknowledged is lost, nothing runs twice or is there twice, what was surely not
 * written does not run, callers are answered, and it goes on by itself.
 */
export async function underLoad(
  fleet: Fleet,
  options: UnderLoad,
  fault: (load: Load) => Promise<unknown>,
): Promise<Seen> {
  const { client = fleet.client, rate = 200, ms = 5, repeating = false } = options
  const { taken = () => false } = options
  const task = (n: number) => ({ type: 'note', payload: { n, ms } })
  // An API has an end of what it takes at once, on a busy machine soon.
  const atOnce = options.client === undefined ? Infinity : callers
  const load = startLoad(client, { rate, task, repeating, atOnce })
  await until(() => fleet.ledger.starts().length > rate / 4, { timeout: 30_000 })
  await fault(load)
  // Callers who repeat come with what they had before.
  const recovery = await nextStart(fleet, repeating ? 0 : load.sent())
  const after = load.acknowledged.size
  await until(() => load.acknowledged.size > after + rate / 2, { timeout: 30_000 }).catch(
    (cause) => {
      const counts = `${after} then ${load.acknowledged.size} of ${load.sent()} acknowledged`
      throw new Error(`callers go on: ${counts}, ${wordsOf(countsOf(load))}`, { cause })
    },
  )
  await load.stop()
  const kept = new Set([...load.acknowledged].filter((n) => !taken(n)))
  const found = await account(fleet, kept)
  const { lost, twice, enqueuedTwice } = found
  expect({ lost, twice, enqueuedTwice }).toEqual({ lost: 0, twice: 0, enqueuedTwice: 0 })
  expect(ranAlthoughRefused(fleet, load)).toEqual([])
  expect(load.slowest()).toBeLessThan(longestCall)
  expect(recovery).toBeLessThan(longestRecovery)
  const refused = countsOf(load)
  const slowest = `slowest call ${(load.slowest() / 1000).toFixed(1)} s`
  const again = found.startedAgain > 0 ? { again: `${found.startedAgain} started again` } : {}
  const finding = {
    acknowledged: found.acknowledged,
    lost,
    twice,
    recovery,
    seen: [...wordsOf(refused), slowest].join(', '),
    ...again,
  }
  const ends = new Set(fleet.ledger.ends().map(({ n }) => n))
  const gone = [...load.acknowledged].filter((n) => taken(n) && !ends.has(n)).length
  return { ...found, load, refused, recovery, taken: gone, finding }
}
