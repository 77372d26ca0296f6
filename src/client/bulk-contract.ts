import type { DeadLetterFilter, JobState } from '../core/job.js'

/** What became of the dead letters that were meant. */
export interface Replay {
  readonly requeued: number
  /** Left where they were, since another task holds their unique key by now. */
  readonly skipped: number
}

/** What a purge would take; times in ISO, null where it would take nothing. */
export interface PurgePreview {
  readonly wouldPurge: number
  readonly oldest: string | null
  readonly newest: string | null
  /** Ids of some of them, the newest, at most ten. */
  readonly sample: readonly string[]
}

/** A bulk job; times in ISO. */
export interface Job {
  readonly id: string
  readonly kind: 'requeue'
  readonly state: JobState
  /** The dead-letter key. */
  readonly key: string
  /** Ages in it are ms. */
  readonly filter: DeadLetterFilter
  readonly rate?: string
  /** Where it is known without reading them all. */
  readonly total?: number
  readonly done: number
  /** Left where they were: no longer dead, dead anew, or another task holds their unique key. */
  readonly skipped: number
  readonly startedAt: string
  readonly endedAt?: string
  /** Where it is asked to stop and has not yet. */
  readonly stopping?: boolean
  /** False while no kernel has taken it, and once it has ended. */
  readonly held: boolean
  /** What it failed of. */
  readonly error?: string
}
