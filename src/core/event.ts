import type { Partition } from './partition.js'
import type { State, TransitionName } from './state.js'

/** One move of one task, as it is told to whoever listens. */
export interface TaskEvent {
  readonly id: string
  readonly type: string
  readonly queue: string
  readonly transition: TransitionName
  /** Where the move led; `gone` is a task that is no longer stored. */
  readonly state: State | 'gone'
  /** ISO, by Redis's clock. */
  readonly at: string
  /** The run that began or ended by it, from 1. */
  readonly attempt?: number
}

/** What one script moved in a partition. */
export interface EventEntry {
  /** Grows within a partition. */
  readonly id: string
  /** From here on moves are told; what was before it may not have been. */
  readonly begins: boolean
  readonly events: readonly TaskEvent[]
}

/** Entries from one id to another, both included; `-` and `+` are the ends of what is kept. */
export interface EventRange {
  readonly from: string
  readonly to: string
  readonly count: number
}

/** The part of a broker that tells of moves. */
export interface EventBroker {
  /**
   * Has the partition's moves told for `ms` from now on; asked again within that time it goes on
   * without a gap. The id of the last entry. Nothing is written of moves while nobody listens.
   */
  listen(partition: Partition, ms: number): Promise<string>
  /** What was told and is kept: some minutes, and 25,000 moves or more. Not a script. */
  told(partition: Partition, range: EventRange): Promise<EventEntry[]>
  /** Partitions with the same name here can be followed in one call. */
  laneOf(partition: Partition): Promise<string>
  /**
   * What is told past an id of each partition, at most 100 entries of each; blocks at most `ms`, and
   * is empty then or at the abort. Partitions of one lane, in one call at a time; not a script. An
   * abort after the answer too gives back what the lane's calls took.
   */
  follow(
    after: ReadonlyMap<Partition, string>,
    ms: number,
    signal: AbortSignal,
  ): Promise<Map<Partition, EventEntry[]>>
}
