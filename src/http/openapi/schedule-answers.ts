import { z } from 'zod'
import type { Schedule } from '../../client/schedules.js'
import type { ScheduleRun } from '../../core/schedule-store.js'
import { priorities } from '../../core/task.js'
import { count, recordOf, time } from './records.js'

/** As it was written: text such as 15m, or ms. */
const duration = z.union([z.string(), z.number()])

const options = z.strictObject({
  queue: z.string().optional(),
  priority: z.enum(priorities).optional(),
  attempts: count.optional(),
  timeout: duration.optional(),
  expiresIn: duration.optional(),
  tags: z.array(z.string()).optional(),
})

const run = recordOf<ScheduleRun>({
  tick: time.describe('Of the tick, or of the order to run now.'),
  outcome: z.enum(['enqueued', 'skipped', 'refused']),
  taskId: z.string().optional(),
  reason: z.string().optional().describe('Why it was skipped or refused.'),
  count: count.optional().describe('Missed ticks that this stands for, where there are several.'),
  at: time.describe('When it was written.'),
})

export const schedule = recordOf<Schedule>({
  id: z.string(),
  task: z.string().describe('The task type that it enqueues.'),
  payload: z.unknown().optional(),
  cron: z.string().optional(),
  every: duration.optional(),
  tz: z.string(),
  overlap: z.enum(['skip', 'allow']),
  misfire: z.enum(['once', 'skip', 'backfill']),
  misfireLimit: count,
  jitter: duration.optional(),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  limit: count.optional().describe('Ticks in all.'),
  options: options.optional().describe('Those of each enqueue.'),
  state: z.enum(['active', 'paused', 'ended']),
  source: z.enum(['config', 'runtime']).describe('Where it came from first.'),
  differs: z
    .array(z.string())
    .optional()
    .describe('Fields in which an edit at run time differs from the config.'),
  nextRunAt: time.optional(),
  lastRunAt: time.optional(),
  runs: count.describe('Ticks that were enqueued.'),
  history: z
    .array(run)
    .optional()
    .describe('The last 50, the newest first; where one is asked for.'),
})

export const schedulePreview = z.strictObject({ items: z.array(time).describe('Its next times.') })

export const scheduleRun = z.strictObject({ taskId: z.string() })
