import parseUnits from 'parse-duration'
import { z } from 'zod'
import { redact } from './secrets.js'

/**
 * Every unit once, from the longest to the shortest. parse-duration alone finds a duration inside
 * any text, reads the tail of '1h30' in its own way and takes units of no fixed length (month,
 * year), so nothing reaches it that this does not match whole.
 */
const WRITTEN = new RegExp(
  `^(?=\\d)${[
    'w|wks?|weeks?',
    'd|days?',
    'h|hrs?|hours?',
    'm|mins?|minutes?',
    's|secs?|seconds?',
    'ms|milliseconds?',
  ]
    .map((unit) => `(?:\\d+(?:\\.\\d+)? ?(?:${unit})(?: |(?=\\d)|$))?`)
    .join('')}$`,
)

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/**
 * Milliseconds, as an integer, from `'1h30m'`, `'10m'`, `'500ms'` or a finite non-negative number
 * (or its digits) of ms; undefined for what is not understood whole. A day is 24 hours here.
 */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return wholeMs(value)
  if (value.length > 100) return undefined
  const text = value.trim().toLowerCase().replace(/\s+/g, ' ')
  if (/^\d+$/.test(text)) return wholeMs(Number(text))
  if (!WRITTEN.test(text)) return undefined
  const ms = parseUnits(text)
  return ms === null ? undefined : wholeMs(ms)
}

/** A duration in a config or an option: string or number in, integer milliseconds out. */
export const durationSchema = z
  .union([z.string(), z.number()], { error: ({ input }) => durationMessage(input) })
  .transform((value, context) => {
    const ms = parseDuration(value)
    if (ms !== undefined) return ms
    context.issues.push({ code: 'custom', message: durationMessage(value), input: value })
    return z.NEVER
  })

/** The same where none at all would be nonsense, such as a timeout that every run is over. */
export const lastingSchema = durationSchema.pipe(z.number().min(1, 'must be at least 1ms'))

/** The sentence that refuses a value which is no duration. */
export function durationMessage(value: unknown): string {
  return `${shown(value)} is not a duration; write one such as 500ms, 30s, 5m, 1h30m, 24h`
}

/** Milliseconds as short text for people, the two largest units of it: `'1h 30m'`, `'250ms'`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'forever'
  let rest = Math.round(Math.abs(ms))
  if (rest === 0) return '0ms'
  const first = UNITS.findIndex(([, size]) => rest >= size)
  const parts: string[] = []
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return `${ms < 0 ? '-' : ''}${parts.join(' ')}`
}

/** The same to the precision that a guess has: `'3s'`, `'2m 10s'`, `'1h 20m'`. */
export function roughDuration(ms: number): string {
  if (ms < 1000) return 'a second'
  const step = ms < 60_000 ? 1000 : ms < 600_000 ? 10_000 : ms < 3_600_000 ? 60_000 : 600_000
  return formatDuration(Math.round(ms / step) * step)
}

function wholeMs(ms: number): number | undefined {
  if (!Number.isFinite(ms) || ms < 0) return undefined
  const rounded = Math.round(ms)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = redact(value)
    return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === undefined ? 'nothing' : `a value of type ${typeof value}`
}
