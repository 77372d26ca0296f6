import { NUMBERS, UNITS, type Unit } from './words.js'

/** How far from now, in the units that were written; calendar units are whole. */
export type Amount = Partial<Record<Unit, number>>

const ORDER: readonly Unit[] = [
  'years',
  'months',
  'weeks',
  'days',
  'hours',
  'minutes',
  'seconds',
  'milliseconds',
]
const CALENDAR: ReadonlySet<Unit> = new Set<Unit>(ORDER.slice(0, 4))

const COUNT = `\\d+(?:\\.\\d+)?|(?:half an?|an?|${[...NUMBERS.keys()].join('|')})(?= )`
const UNIT = [...UNITS.keys()].sort((a, b) => b.length - a.length).join('|')
const STEP = new RegExp(`(${COUNT}) ?(${UNIT})(?![a-z])(?: and | (?!$)|(?=\\d)|$)`, 'y')

const IN_MS: Partial<Record<Unit, number>> = {
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
}

/**
 * The amount of 'in 2 hours', 'in 1 hour and 30 minutes', '2 days from now'; undefined for other
 * texts, and for units twice or out of order and broken days ('in 1.5 days').
 */
export function readAmount(text: string): Amount | undefined {
  const steps = /^in (.+)$/.exec(text)?.[1] ?? /^(.+) from now$/.exec(text)?.[1]
  if (steps === undefined) return undefined
  const amount: Amount = {}
  let last = -1
  STEP.lastIndex = 0
  while (STEP.lastIndex < steps.length) {
    const step = STEP.exec(steps)
    const unit = UNITS.get(step?.[2] ?? '')
    if (step === null || unit === undefined) return undefined
    const count = countOf(step[1] ?? '')
    const position = ORDER.indexOf(unit)
    if (position <= last || (CALENDAR.has(unit) && !Number.isInteger(count))) return undefined
    amount[unit] = count
    last = position
  }
  return amount
}

/** Whether an amount is of days and longer alone, so that a time of the day may be named with it. */
export function isOfDays(amount: Amount): boolean {
  return ORDER.every((unit) => amount[unit] === undefined || CALENDAR.has(unit))
}

/** The two parts of an amount: days and longer for the calendar, the rest as integer ms. */
export function splitAmount(amount: Amount): { calendar: Amount; ms: number } {
  const calendar: Amount = {}
  let ms = 0
  for (const unit of ORDER) {
    const count = amount[unit]
    if (count === undefined) continue
    if (CALENDAR.has(unit)) calendar[unit] = count
    else ms += count * (IN_MS[unit] ?? 0)
  }
  return { calendar, ms: Math.round(ms) }
}

function countOf(word: string): number {
  if (word.startsWith('half')) return 0.5
  if (word === 'a' || word === 'an') return 1
  return NUMBERS.get(word) ?? Number(word)
}
