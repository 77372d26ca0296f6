import { DOUBLED, GAPS } from './changes.js'
import { CLOCK_TIMES } from './clocks.js'
import { DATES } from './dates.js'
import { DAYS } from './days.js'
import { ENDS, LEAP_DAYS } from './ends.js'
import { CHANGES, FORMS, ZONES } from './phrases.js'

/** Phrases by theme, in seven zones; each instant was worked out without the reader. */
export const GOLDEN = [
  ...CLOCK_TIMES,
  ...DAYS,
  ...DATES,
  ...LEAP_DAYS,
  ...ENDS,
  ...GAPS,
  ...DOUBLED,
]

/** All of them. */
export const PHRASES = [...FORMS, ...ZONES, ...CHANGES, ...GOLDEN]
