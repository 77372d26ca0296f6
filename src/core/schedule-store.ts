import type { ParsedSchedule, ScheduleRule } from './schedule.js'

/** What is kept of a schedule beside how it goes. */
export interface ScheduleRecord {
  readonly rule: ScheduleRule
  /** Where it came from first. */
  readonly source: 'config' | 'runtime'
  /** Of one from a config: the service whose it is, and the rule as that config gave it last. */
  readonly service?: string | undefined
  readonly config?: ScheduleRule | undefined
  /** True where a person removed it and the config still has it. */
  readonly removed?: boolean | undefined
}

/** A schedule as it lies in the store; times in ms by Redis's clock. */
export interface StoredSchedule extends ScheduleRecord {
  readonly id: string
  /** Grows with every change of the record. */
  readonly revision: number
  /** Its next tick; undefined where it is paused, removed or has ended. */
  readonly due: number | undefined
  readonly paused: boolean
  /** Ticks that were enqueued. */
  readonly runs: number
  readonly last: LastTick | undefined
}

/** The last tick that was claimed. */
export interface LastTick {
  readonly tick: number
  readonly taskId: string
  /** True where its task is not known to be enqueued yet. */
  readonly pending: boolean
  /** Where its task went, once that is known. */
  readonly queue?: string
}

/** What is to be enqueued: a tick's task as it was when the tick was claimed. */
export interface PendingTick {
  readonly id: string
  readonly taskId: string
  readonly tick: number
  /** ms by Redis's clock; former releases did not write it. */
  readonly claimedAt?: number
  /** When the task is due; after the tick where there is jitter. */
  readonly due: number
  readonly task: string
  readonly payload: unknown
  /** The queue that its type had where it was claimed; a queue in its options goes before it. */
  readonly queue?: string
  readonly options?: ParsedSchedule['options']
}

/** One line of a schedule's history. */
export interface ScheduleRun {
  /** ISO time of the tick, or of the order to run now. */
  readonly tick: string
  readonly outcome: 'enqueued' | 'skipped' | 'refused'
  readonly taskId?: string
  /** Why it was skipped (`overlap`, `misfire`) or refused. */
  readonly reason?: string
  /** Missed ticks that this line stands for, where there were several. */
  readonly count?: number
  /** ISO time, by Redis's clock, at which it was written; the store's. */
  readonly at: string
}

export type NewScheduleRun = Omit<ScheduleRun, 'at'>

/** How many of what is due, and of what is stale, are passed over: they are not for whoever looks. */
export interface LookPlace {
  readonly due: number
  readonly stale: number
}

/** What a look finds; times in ms by Redis's clock. */
export interface ScheduleLook {
  readonly now: number
  readonly due: readonly StoredSchedule[]
  /** The next tick of all that is not due yet, whoever knows it. */
  readonly next: number | undefined
  /** Claimed and not known to be enqueued for some seconds; whoever looks repeats them. */
  readonly stale: readonly PendingTick[]
  /** Where to look on; undefined where that was all. What is given and stays due is not passed over. */
  readonly rest: LookPlace | undefined
}

/**
 * How what is kept of a schedule shall change. Nothing is changed where `revision` or the next tick is
 * another by now: it was edited, or its tick was claimed.
 */
export interface ScheduleChange {
  readonly id: string
  /** 0 where there shall be none yet. */
  readonly revision: number
  /** The next tick in ms, as it was seen. */
  readonly seen?: number | undefined
  readonly record: ScheduleRecord
  readonly paused: boolean
  /** The next tick in ms. */
  readonly due: number | undefined
  /** True where it begins or ends: what it ran before is forgotten. */
  readonly fresh?: boolean | undefined
}

/** Which schedules a page has: those behind an id, `limit` of them at most. */
export interface SchedulePageCall {
  readonly after?: string | undefined
  readonly limit: number
}

export interface SchedulePage {
  /** By id; one that cannot be read is left out. */
  readonly schedules: readonly StoredSchedule[]
  /** Behind which the next page begins; undefined on the last. */
  readonly next: string | undefined
}

/** A claim of ticks: the first to make it has them. */
export interface TickClaim {
  readonly id: string
  /** As they were seen; where one is another by now, nothing is claimed. */
  readonly revision: number
  readonly due: number
  readonly next: number | undefined
  readonly ticks: readonly PendingTick[]
  /** What the history says of ticks that are not enqueued; the oldest first. */
  readonly passed: readonly NewScheduleRun[]
}

/**
 * What keeps schedules. Every change is one atomic script; throws what Broker throws. All is under
 * one hash tag of its own.
 */
export interface ScheduleStore {
  /** `types`: the task types that the caller knows; of others it gives nothing. */
  look(types: readonly string[], from?: LookPlace): Promise<ScheduleLook>
  /** True where this call has the ticks; false where another was first, or the schedule changed. */
  claim(claim: TickClaim): Promise<boolean>
  /** Takes a tick out of what is pending, and tells the history. `queue` is where its task went. */
  settle(tick: PendingTick, run: NewScheduleRun, queue?: string): Promise<void>
  /** A line of the history that no tick has. */
  note(id: string, run: NewScheduleRun): Promise<void>
  /** False where it changed meanwhile. */
  save(change: ScheduleChange): Promise<boolean>
  /** Takes it away with its history; false where it changed meanwhile. */
  remove(id: string, revision: number): Promise<boolean>
  find(id: string): Promise<StoredSchedule | undefined>
  /** Some of them, by id; fewer than asked for where they are many or large. */
  page(call: SchedulePageCall): Promise<SchedulePage>
  /** The newest first; the last 50. */
  history(id: string): Promise<ScheduleRun[]>
}
