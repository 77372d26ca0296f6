import { z } from 'zod'
import { durationSchema, lastingSchema } from './duration.js'
import { idPattern, idWords } from './enqueue-options.js'

/** A retry policy in which every part has its default. */
const wholeRetrySchema = z.strictObject({
  attempts: z.int().min(1).max(1000).default(10).describe('Runs at most, the first one included.'),
  backoff: z
    .enum(['fixed', 'linear', 'exponential'])
    .default('exponential')
    .describe('How the delay grows from attempt to attempt.'),
  delay: durationSchema.prefault('5s').describe('Delay after the first failure.'),
  maxDelay: durationSchema.prefault('1h').describe('No delay is longer than this.'),
  jitter: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Share of the delay that is left to chance, so that failures do not return at once.'),
})

const age = durationSchema
const count = z.int().min(0)
const ageWords = 'An ended task older than this goes.'
const countWords = 'An ended task beyond this many goes, the oldest first; 0 keeps nothing.'

const wholeLimit = (defaultAge: string, defaultCount: number) =>
  z
    .strictObject({
      age: age.prefault(defaultAge).describe(ageWords),
      count: count.default(defaultCount).describe(countWords),
    })
    .prefault({})

const partialLimit = z
  .strictObject({
    age: age.optional().describe(ageWords),
    count: count.optional().describe(countWords),
  })
  .optional()

/** How long ended tasks are kept, where parts may be left out. */
export const partialRetentionSchema = z.strictObject({
  completed: partialLimit.describe('Tasks that completed, with their results.'),
  dead: partialLimit.describe('Dead letters; one that goes is logged and counted.'),
  cancelled: partialLimit.describe('Tasks that were cancelled.'),
})

const wholeRetentionSchema = z.strictObject({
  completed: wholeLimit('24h', 10_000).describe('Tasks that completed, with their results.'),
  dead: wholeLimit('90d', 1_000_000).describe('Dead letters; one that goes is logged and counted.'),
  cancelled: wholeLimit('24h', 10_000).describe('Tasks that were cancelled.'),
})

/** What holds for every task whose type, definition and queue say nothing else. */
export const taskDefaultsSchema = z.strictObject({
  retry: wholeRetrySchema
    .prefault({})
    .describe('When and how often a task runs again after a failure.'),
  timeout: lastingSchema.prefault('10m').describe('A run longer than this is aborted and fails.'),
  deadLetter: z
    .string()
    .regex(idPattern, idWords)
    .default('dead')
    .describe('The key that dead letters lie under.'),
  retention: wholeRetentionSchema.prefault({}).describe('How long ended tasks are kept.'),
})

/** The defaults with every part set; durations in ms. */
export type TaskDefaults = z.output<typeof taskDefaultsSchema>
