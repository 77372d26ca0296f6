import { parseDuration } from './duration.js'
import { redact } from './secrets.js'

/** So many tasks in so many ms. */
export interface Rate {
  readonly amount: number
  /** ms. */
  readonly per: number
}

/** Finer than this nobody looks. */
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

/** The sentence that refuses what is no rate. */
export function rateMessage(value: unknown): string {
  const shown =
    typeof value === 'string' ? JSON.stringify(redact(value).slice(0, 40)) : `a ${typeof value}`
  return `${shown} is not a rate; write whole tasks per time, such as 14/s, 100/m, 1000/h or 5/10s (up to ${mostPerSecond}/s, and 30d)`
}
