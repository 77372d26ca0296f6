import { z } from 'zod'
import { formatRate, parseRate, type Rate, rateMessage } from './rate.js'

/** What a queue may do at most, over all processes; what is left out is not limited. */
export interface QueueLimits {
  /** Starts, in the form of `rateSchema`'s output: `'14/s'`, `'5/10s'`. */
  readonly rate?: string | undefined
  /** Tasks that are active at one time. */
  readonly maxActive?: number | undefined
}

/** What a person changes: left out stays as it is, null takes the limit away. */
export interface LimitsChange {
  readonly rate?: string | null | undefined
  readonly maxActive?: number | null | undefined
}

/** Starts that may come at once where none came for a while: those of one second, at least one. */
export const burstOf = ({ amount, per }: Rate): number =>
  Math.max(1, Math.floor((amount * 1000) / per))

/** A rate in a config or a call: text in, the one form of it out. */
export const rateSchema = z
  .string({ error: ({ input }) => rateMessage(input) })
  .transform((value, context) => {
    const rate = parseRate(value)
    if (rate !== undefined) return formatRate(rate)
    context.issues.push({ code: 'custom', message: rateMessage(value), input: value })
    return z.NEVER
  })

/** How many tasks may be active at one time. */
export const maxActiveSchema = z
  .int('must be a whole number from 1')
  .min(1, 'must be at least 1; pause the queue to let none run')
  .max(1_000_000, 'must be at most 1000000')

/** What a person may say of a queue's limits. */
export const limitsChangeSchema = z.strictObject({
  rate: rateSchema.nullable().optional(),
  maxActive: maxActiveSchema.nullable().optional(),
})

/** In words: `rate 14/s, maxActive 5`, or `none`. */
export function limitsWords({ rate, maxActive }: QueueLimits): string {
  const words = [
    ...(rate === undefined ? [] : [`rate ${rate}`]),
    ...(maxActive === undefined ? [] : [`maxActive ${maxActive}`]),
  ]
  return words.length === 0 ? 'none' : words.join(', ')
}
