import { z } from 'zod'
import { durationMessage, formatDuration, parseDuration } from '../duration.js'
import { enqueueOptionsSchema } from '../enqueue-options.js'

/** A duration that stays as it was written, so that a rule reads back as it was put. */
export const written = (least: number, words: string, most = Number.POSITIVE_INFINITY) =>
  z
    .union([z.string(), z.number()], { error: ({ input }) => durationMessage(input) })
    .refine((value) => parseDuration(value) !== undefined, {
      error: ({ input }) => durationMessage(input),
      abort: true,
    })
    .refine((value) => (parseDuration(value) ?? 0) >= least, words)
    .refine(
      (value) => (parseDuration(value) ?? 0) <= most,
      `must be at most ${formatDuration(most)}`,
    )

const { queue, priority, attempts, tags } = enqueueOptionsSchema.shape
const lasting = written(1, 'must be at least 1ms').optional()

/** The options of an enqueue that make sense of each tick's task; its id and time are the tick's. */
export const scheduleOptionsSchema = z.strictObject({
  queue,
  priority,
  attempts,
  timeout: lasting.describe('A run longer than this is aborted.'),
  expiresIn: lasting.describe(
    'Dead with `expired` if not started by then; counted from when it is due, `jitter` included.',
  ),
  tags,
})
