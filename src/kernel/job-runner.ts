import type { Directory } from '../client/contract.js'
import { newId } from '../client/ids.js'
import { jobLease, runJob } from '../client/job-run.js'
import type { Broker, JobRecord } from '../core/broker.js'
import { systemClock } from '../core/clock.js'
import type { Service } from '../core/service.js'
import { Rounds } from '../services/round.js'
import type { Log } from '../telemetry/log.js'

/** Between two looks for a job that nobody does, in ms. */
const lookEvery = 1000
/** Jobs that one kernel does at once; more wait, or are done by others. */
const mostAtOnce = 8

export interface JobRunnerParts {
  readonly broker: Broker
  readonly directory: Directory
  readonly log: Log
}

/** Does bulk jobs, in every role: those that are new, and those whose kernel has died. */
export function jobRunner({ broker, directory, log }: JobRunnerParts): Service {
  const holder = newId()
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()

  const begin = (job: JobRecord): void => {
    const parts = { broker, directory, clock: systemClock, holder, signal: stopping.signal }
    const run = runJob(job, parts)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        log.warn('A job was broken off; it goes on where it was', { job: job.id, reason })
      })
      .finally(() => running.delete(run))
    running.add(run)
    log.info('A job is done by this kernel', { job: job.id, kind: job.kind, key: job.key })
  }

  const rounds = new Rounds({
    name: 'jobs',
    every: lookEvery,
    round: async () => {
      while (running.size < mostAtOnce && !stopping.signal.aborted) {
        const job = await broker.takeJob(holder, jobLease)
        if (job === undefined) return
        begin(job)
      }
    },
    onFailure: (error) =>
      log.warn('Jobs could not be looked for; it is tried again', {
        reason: error instanceof Error ? error.message : String(error),
      }),
  })

  return {
    name: rounds.name,
    start: () => rounds.start(),
    tick: () => rounds.tick(),
    async stop() {
      stopping.abort()
      await rounds.stop()
      await Promise.all(running)
    },
  }
}
