/** Which dead letters are meant; ages in ms since they died. */
export interface DeadLetterFilter {
  readonly type?: string | undefined
  readonly queue?: string | undefined
  /** Part of the last error's message, or its code. */
  readonly error?: string | undefined
  /** Dead for at least so long. */
  readonly olderThan?: number | undefined
  /** Dead for at most so long. */
  readonly newerThan?: number | undefined
}

export type JobState = 'running' | 'done' | 'stopped' | 'failed'

/** What a bulk job is asked to do; written once. */
export interface JobOrder {
  readonly id: string
  readonly kind: 'requeue'
  /** The dead-letter key. */
  readonly key: string
  readonly filter: DeadLetterFilter
  /** As it was written: `50/s`. */
  readonly rate?: string | undefined
  /** ms, by Redis's clock; what died after it is left alone. */
  readonly startedAt: number
}

/** How far it is. */
export interface JobProgress {
  /** Where it is known without reading them all. */
  readonly total?: number | undefined
  readonly done: number
  /** Left where they were: no longer dead, dead anew, or another task holds their unique key. */
  readonly skipped: number
  /** Where it goes on: a partition's tag, and what its broker returned as `next`. */
  readonly place?: { readonly tag: string; readonly after?: string | undefined } | undefined
  /** When the next may go by its rate, in ms by Redis's clock. */
  readonly due?: number | undefined
  /** What it failed of, in words. */
  readonly error?: string | undefined
}

/** A job as it lies in the store. */
export interface JobRecord extends JobOrder, JobProgress {
  readonly state: JobState
  /** True where it is asked to stop and has not yet. */
  readonly stopping: boolean
  /** True where a kernel holds it now. */
  readonly held: boolean
  /** ms. */
  readonly endedAt?: number
}

/** What the holder of a job says of it. */
export interface KeepJob {
  readonly holder: string
  /** ms; 0 lets go of it. */
  readonly lease: number
  readonly state: JobState
  readonly progress: JobProgress
}

/** Where bulk jobs are remembered, and who holds which. */
export interface JobStore {
  /** False where as many jobs run as may. `id` was never used before. */
  addJob(order: JobOrder): Promise<boolean>
  /** Of the last hundred, the newest first. */
  jobs(): Promise<readonly JobRecord[]>
  /** A running job that nobody holds, or whose holder is silent, to be held for `lease` ms. */
  takeJob(holder: string, lease: number): Promise<JobRecord | undefined>
  /** Writes how far a job is, and holds it for `lease` ms more: `lost` where another has it by now. */
  keepJob(job: JobRecord, call: KeepJob): Promise<'kept' | 'stop' | 'lost'>
  /** A job that nobody holds ends at once; a held one is told. False where there is none. */
  stopJob(id: string): Promise<boolean>
}
