import { z } from 'zod'
import { durationSchema, lastingSchema } from './duration.js'
import { priorities } from './task.js'

/**
 * Ids, keys and names that callers choose: what Redis keys and URLs carry unharmed. Clients resolve
 * a path's `.` and `..` before they send it, so dots alone are no name.
 */
export const idPattern = /^(?!\.+$)[A-Za-z0-9._:-]{1,128}$/

/** The rule of `idPattern` in words. */
export const idWords = 'must be 1 to 128 of A-Z a-z 0-9 . _ : -, and not dots alone'

const id = z.string().regex(idPattern, idWords)

/** Half of a character, which no key of Redis can hold as it is. */
const loneSurrogate = /\p{Surrogate}/u

const text = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} characters`)
    .refine((value) => !loneSurrogate.test(value), 'must not have half of a surrogate pair')

const wholeNumber = 'must be a whole number from 1 to 1000'

/** The options of one enqueue; at HTTP the same, as query parameters. */
export const enqueueOptionsSchema = z.strictObject({
  runAt: z
    .union([text(100), z.number(), z.date().transform((date) => date.getTime())], {
      error: 'must be an ISO time, epoch milliseconds, a duration from now, text or a valid Date',
    })
    .optional()
    .describe("When: ISO time, epoch ms, a duration from now, or text ('tomorrow 8am')."),
  delay: durationSchema.optional().describe('How long from now.'),
  tz: text(64).optional().describe('IANA zone that text times are read in.'),
  taskId: id.optional().describe("The caller's own id; a repeat returns the first task."),
  idempotencyKey: text(255).optional().describe('Makes the id; a repeat returns the first task.'),
  queue: id.optional().describe("Another queue than the definition's."),
  priority: z
    .enum(priorities, `must be one of ${priorities.join(', ')}`)
    .optional()
    .describe('Urgency within the queue.'),
  attempts: z
    .int(wholeNumber)
    .min(1, wholeNumber)
    .max(1000, wholeNumber)
    .optional()
    .describe('Runs at most.'),
  timeout: lastingSchema.optional().describe('A run longer than this is aborted.'),
  expiresIn: lastingSchema.optional().describe('Dead with `expired` if not started by then.'),
  uniqueKey: text(255).optional().describe('A second task of this key is not made.'),
  uniqueFor: lastingSchema.optional().describe('How long `uniqueKey` holds; else until it ends.'),
  tags: z.array(text(64)).max(16, 'must be at most 16').optional().describe('Words to find it by.'),
})

/** Options of one enqueue as callers write them. */
export type EnqueueOptions = z.input<typeof enqueueOptionsSchema>
/** The same after parsing: durations in ms. */
export type ParsedEnqueueOptions = z.output<typeof enqueueOptionsSchema>
