import { z } from 'zod'
import { durationSchema } from '../../core/duration.js'

const atLeast = (ms: number, words: string) => durationSchema.pipe(z.number().min(ms, words))

/** The config's key `worker`: how leases, crashes and shutdown go in every worker of a process. */
export const workerSchema = z
  .strictObject({
    lease: atLeast(1000, 'must be at least 1s')
      .prefault('30s')
      .describe('How long a worker that fell silent keeps its tasks.'),
    concurrency: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Tasks that run at once in the process, over all its queues, by their weight.'),
    shutdownGrace: durationSchema
      .prefault('25s')
      .describe('How long running handlers may go on after a stop; then their tasks go back.'),
    mismatchGrace: durationSchema
      .prefault('1h')
      .describe('How long a task waits for a worker that knows its type, before it is buried.'),
    maxBlocked: durationSchema
      .optional()
      .describe('An event loop that stood still this long ends its process; 0 never; ten leases.'),
    maxCrashes: z
      .int()
      .min(1)
      .max(20)
      .default(2)
      .describe('Deaths of the process that runs a suspect task alone, before it is buried.'),
  })
  .transform((worker) => ({ ...worker, maxBlocked: worker.maxBlocked ?? 10 * worker.lease }))
