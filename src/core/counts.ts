/** How many tasks made which move. */
export interface Counts {
  readonly enqueued: number
  readonly completed: number
  readonly retried: number
  readonly dead: number
  readonly cancelled: number
  readonly lost: number
}

/** Counters of one minute. Sums of ms are over tasks that completed. */
export interface MinuteCounts extends Counts {
  readonly runMs: number
  readonly waitMs: number
}

/** A minute in which nothing happened; the names of its counters are those in Redis. */
const noCounts: MinuteCounts = {
  enqueued: 0,
  completed: 0,
  retried: 0,
  dead: 0,
  cancelled: 0,
  lost: 0,
  runMs: 0,
  waitMs: 0,
}

export const counterNames = Object.keys(noCounts) as readonly (keyof MinuteCounts)[]

/** Counts that can be added to, all of them 0. */
export const startCounts = (): Record<keyof MinuteCounts, number> => ({ ...noCounts })
