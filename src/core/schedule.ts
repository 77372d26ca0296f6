import { z } from 'zod'
import { parseDuration } from './duration.js'
import { idPattern } from './enqueue-options.js'
import { isTimeZone } from './run-at.js'
import { cronProblem } from './schedule/cron.js'
import { scheduleOptionsSchema, written } from './schedule/options.js'

/** Ids of schedules: shorter than those of tasks, which add a tick's time to them. */
export const scheduleIdSchema = z
  .string()
  .regex(idPattern, 'must be 1 to 80 of A-Z a-z 0-9 . _ : -, and not dots alone')
  .max(80, 'must be at most 80 characters, for its ticks add their time to it')

const cron = z.string().check((context) => {
  const problem = cronProblem(context.value)
  if (problem === undefined) return
  context.issues.push({ code: 'custom', message: problem, input: context.value })
})

const instant = z.iso.datetime({
  offset: true,
  error: 'must be an ISO time with its offset, such as 2026-12-24T18:00:00Z',
})

const day = 86_400_000

const wholeFrom1 = (most: number) => {
  const words = `must be a whole number from 1 to ${most}`
  return z.int(words).min(1, words).max(most, words)
}

const fields = z.strictObject({
  task: z
    .string()
    .regex(idPattern, 'must name a task type')
    .describe('The task type that it enqueues.'),
  payload: z
    .unknown()
    .optional()
    .describe('What each task gets; an empty object where it is left out.'),
  cron: cron.optional().describe('When: five fields, or six with seconds first. Or `every`.'),
  every: written(1000, 'must be at least 1s', 3650 * day)
    .optional()
    .describe('How often, counted from `startsAt`, or else from midnight UTC on 1 January 1970.'),
  tz: z
    .string()
    .refine(isTimeZone, 'must be an IANA zone such as Europe/Rome or UTC')
    .optional()
    .describe('Zone that `cron` is read in; `time.tz` if left out.'),
  overlap: z
    .enum(['skip', 'allow'], 'must be skip or allow')
    .default('skip')
    .describe('What a tick does while the task of the one before has not ended.'),
  misfire: z
    .enum(['once', 'skip', 'backfill'], 'must be once, skip or backfill')
    .default('once')
    .describe('What becomes of ticks that passed more than a minute ago, while nothing ran.'),
  misfireLimit: wholeFrom1(1000)
    .default(100)
    .describe('With `backfill`, the ticks that are made up for at most, the latest ones.'),
  jitter: written(0, '', 7 * day)
    .optional()
    .describe("Each task is due up to so much later, by a number that is made of its tick's id."),
  startsAt: instant.optional().describe('No tick comes before this ISO time.'),
  endsAt: instant.optional().describe('No tick comes after this ISO time.'),
  limit: wholeFrom1(1_000_000_000).optional().describe('Ticks in all; then it has ended.'),
  options: scheduleOptionsSchema.optional().describe('Options of each enqueue.'),
})

type Fields = z.output<typeof fields>

/** What is wrong with fields that are right each by itself. */
function* crossed(rule: Fields): Generator<readonly [path: string, message: string]> {
  const { cron, every, jitter, startsAt, endsAt } = rule
  if (cron === undefined && every === undefined) {
    yield ['cron', "is wanted, or every: write cron: '0 8 * * *', or every: '15m'"]
  }
  if (cron !== undefined && every !== undefined) {
    yield ['every', 'cron and every are both given; give one of them']
  }
  const most = every === undefined ? undefined : parseDuration(every)
  if (most !== undefined && jitter !== undefined && (parseDuration(jitter) ?? 0) > most) {
    yield ['jitter', 'must be no longer than every, or tasks would come after the next tick']
  }
  if (startsAt !== undefined && endsAt !== undefined && Date.parse(endsAt) < Date.parse(startsAt)) {
    yield ['endsAt', 'must not lie before startsAt']
  }
}

/** A schedule as config, HTTP and command line take it: what is enqueued, when, and how it goes. */
export const scheduleSchema = fields.check((context) => {
  for (const [path, message] of crossed(context.value)) {
    context.issues.push({ code: 'custom', path: [path], message, input: context.value })
  }
})

/** A schedule as people write it. */
export type ScheduleInput = z.input<typeof scheduleSchema>

/** The same with its defaults; the zone is filled in by whoever keeps it. */
export type ParsedSchedule = z.output<typeof scheduleSchema>

/** A rule as it is kept: JSON, with every default, and its durations as they were written. */
export type ScheduleRule = ParsedSchedule & { readonly tz: string }

/** What of a rule is enqueued, and may be refused. */
export type Wanted = Pick<ParsedSchedule, 'task' | 'payload' | 'options'>
