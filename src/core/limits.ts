import { z } from 'zod'
import { parseDuration } from './duration.js'
import { redact } from './secrets.js'

/** So many starts in so many ms, over all processes. */
export interface Rate {
  readonly amount: number
  /** ms. */
  readonly per: number
}

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

/** Finer than this no worker looks. */
const mostPerSecond = 100_000
/** The longest time that a rate may speak of, in ms. */
const longest = 30 * 86_400_000

const written = /^(\d{1,9}) ?\/ ?(\d*(?:\.\d+)?) ?([a-z]+)$/

/** `'14/s'`, `'1000/h'`, `'5/10s'`; undefined for what is not understood whole or could not be kept. */
export function parseRate(text: string): Rate | undefined {
  const [, amount = '', many = '', unit = ''] = written.exec(text.trim().toLowerCase()) ?? []
  const per = unit === '' ? undefined : parseDuration(`${many === '' ? '1' : many}${unit}`)
  const rate = { amount: Number(amount), per: per ?? 0 }
  if (rate.amount < 1 || rate.per < 1 || rate.per > longest) return undefined
  return (rate.amount * 1000) / rate.per > mostPerSecond ? undefined : rate
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** One text for all ways to write a rate, in the longest unit that gives a whole number. */
export function formatRate({ amount, per }: Rate): string {
  const [unit, size] = units.find(([, ms]) => per % ms === 0) ?? ['ms', 1]
  return `${amount}/${per === size ? '' : per / size}${unit}`
}

/** Starts that may come at once where none came for a while: those of one second, at least one. */
export const burstOf = ({ amount, per }: Rate): number =>
  Math.max(1, Math.floor((amount * 1000) / per))

function rateMessage(value: unknown): string {
  const shown =
    typeof value === 'string' ? JSON.stringify(redact(value).slice(0, 40)) : `a ${typeof value}`
  return `${shown} is not a rate; write whole tasks per time, such as 14/s, 100/m, 1000/h or 5/10s (up to ${mostPerSecond}/s, and 30d)`
}

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
