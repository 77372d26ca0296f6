import { z } from 'zod'
import { taskSettingsSchema } from '../../core/definition.js'
import { idPattern } from '../../core/enqueue-options.js'
import { maxActiveSchema, rateSchema } from '../../core/limits.js'
import { partialRetentionSchema } from '../../core/task-defaults.js'

const { retry, timeout, deadLetter } = taskSettingsSchema.shape
const name = z.string().regex(idPattern, 'a name must be 1 to 128 of A-Z a-z 0-9 . _ : -')

const queueSchema = z.strictObject({
  concurrency: z
    .int()
    .min(1)
    .max(100_000)
    .default(10)
    .describe('Tasks that run at once in each process.'),
  partitions: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe('Parts that a Redis Cluster can spread over its nodes.'),
  rate: rateSchema
    .optional()
    .describe('Starts at most, over all processes: 14/s, 100/m, 1000/h, 5/10s.'),
  maxActive: maxActiveSchema
    .optional()
    .describe('Tasks that are active at most, over all processes.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Its part of worker.concurrency, beside the other queues.'),
  retry,
  timeout,
  deadLetter,
  retention: partialRetentionSchema.optional().describe('How long its ended tasks are kept.'),
})

/** The config's key `queues`: the queues that exist, by name; `default` always does. */
export const queuesSchema = z.record(name, queueSchema).prefault({})

/** The config's key `tasks`: what goes over the definitions, by type. */
export const tasksSchema = z.record(name, taskSettingsSchema).prefault({})

/** One queue's settings with their defaults; durations in ms. */
export type QueueSettings = z.output<typeof queueSchema>

/** What holds for a queue that the config does not name. */
export const plainQueue = (): QueueSettings => queueSchema.parse({})
