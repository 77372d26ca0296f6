import { createRequire } from 'node:module'
import type * as Chrono from 'chrono-node/en'
import { MONTHS, ORDINALS, WEEKDAYS } from './words.js'

/** A date as written: the year and the weekday (Monday 1) only where they were. */
export interface CalendarDate {
  year?: number
  month: number
  day: number
  weekday?: number
}

/** Fixed, and of a leap year: what chrono fills in from it is never used, and feb 29 is read. */
const REFERENCE = { instant: new Date(Date.UTC(2028, 0, 1)), timezone: 0 }

const require = createRequire(import.meta.url)
let chrono: typeof Chrono | undefined

/** Loaded by the first date that is read, for most programs never read one and it is slow to load. */
function reader(): typeof Chrono.strict {
  chrono ??= require('chrono-node/en') as typeof Chrono
  return chrono.strict
}

const TOKEN = /^(?:of|\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)?)$/
const TENS_ORDINAL = /^(?:twenty|thirty)-[a-z]+$/

/**
 * A date such as 'dec 24', 'thu 24th of december 2026' or '2026-12-24', read by chrono; undefined
 * for anything that chrono does not read as one date from its first to its last character.
 */
export function readDate(text: string): CalendarDate | undefined {
  const written = text.replace(/^(?:on )?(?:the )?/, '')
  if (!written.split(' ').every(isDateWord)) return undefined
  const [result, ...others] = reader().parse(written, REFERENCE)
  if (result === undefined || others.length > 0) return undefined
  const { start, end } = result
  if (result.text !== written || end != null || start.isCertain('hour')) return undefined
  const [month, day] = [start.get('month'), start.get('day')]
  if (!start.isCertain('month') || !start.isCertain('day')) return undefined
  if (month === null || day === null) return undefined
  const date: CalendarDate = { month, day }
  const year = start.isCertain('year') ? start.get('year') : null
  if (year !== null) {
    // chrono makes '26' a year of this century; only a year in full is one here
    if (!new RegExp(`\\b${year}\\b`).test(written)) return undefined
    date.year = year
  }
  const weekday = start.isCertain('weekday') ? start.get('weekday') : null
  if (weekday !== null) date.weekday = weekday === 0 ? 7 : weekday
  return date
}

function isDateWord(word: string): boolean {
  return (
    TOKEN.test(word) ||
    WEEKDAYS.has(word) ||
    MONTHS.has(word) ||
    ORDINALS.has(word) ||
    TENS_ORDINAL.test(word)
  )
}
