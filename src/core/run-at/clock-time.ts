import { MONTHS } from './words.js'

/** Part of a day that a text names beside an hour ('tonight at 8', '9 in the morning'). */
export type DayPart = 'morning' | 'afternoon' | 'evening' | 'night'

/** A time of the day; `nextDay` for the midnight at which the named night ends. */
export interface ClockTime {
  hour: number
  minute: number
  second: number
  nextDay: boolean
}

/** What was split from a text: the time as written, and the words about its day ('' for none). */
export interface SplitText {
  clock: string
  day: string
}

const PART_AFTER = '(?: in the (?:morning|afternoon|evening)| at night)'
const EXACT = '\\d{1,2}:\\d{2}(?::\\d{2})?(?:am|pm)?|\\d{1,2}(?:am|pm)|noon|midday|midnight'
// 'at 2 may 24' may be of the second of may: an hour alone has no month behind it
const MONTH = [...MONTHS].join('|')
const HOUR = `at \\d{1,2}(?: o'clock|(?! (?:${MONTH})\\b))|\\d{1,2} o'clock|\\d{1,2}(?=${PART_AFTER})`
const CLOCK = `(?:(?:at )?(?:${EXACT})|${HOUR})${PART_AFTER}?`
const LAST = new RegExp(`^(?:(?<day>.+?) )??(?<clock>${CLOCK})$`)
const FIRST = new RegExp(`^(?<clock>${CLOCK}) (?<day>.+)$`)

const WRITTEN =
  /^(?:at )?(?:(?<word>noon|midday|midnight)|(?<hour>\d{1,2})(?::(?<minute>\d{2}))?(?::(?<second>\d{2}))?(?<half>am|pm)?(?: o'clock)?)(?: (?:in the|at) (?<part>morning|afternoon|evening|night))?$/

/** For each part of the day: hours to move by twelve, and hours of the 24 to leave as they are. */
const PARTS: Record<DayPart, { moved: [number, number]; kept: [number, number] }> = {
  morning: { moved: [0, -1], kept: [0, 11] },
  afternoon: { moved: [1, 6], kept: [12, 18] },
  evening: { moved: [4, 11], kept: [16, 23] },
  night: { moved: [6, 11], kept: [18, 23] },
}

/** Every way to take a time of the day from the end or the start of a normalised text. */
export function splitClock(text: string): SplitText[] {
  return [LAST, FIRST].flatMap((pattern) => {
    const groups = pattern.exec(text)?.groups
    return groups?.clock === undefined ? [] : [{ clock: groups.clock, day: groups.day ?? '' }]
  })
}

/**
 * The time of the day in a clock text, an hour alone being of the 24; undefined where it is no time
 * of a day (25:00, 13pm) or goes against the part of the day named in it or beside it (`part`).
 */
export function readClock(clock: string, part?: DayPart): ClockTime | undefined {
  const groups = WRITTEN.exec(clock)?.groups
  if (groups === undefined) return undefined
  const own = groups.part as DayPart | undefined
  if (own !== undefined && part !== undefined && own !== part) return undefined
  const named = own ?? part
  if (groups.word !== undefined) return wordTime(groups.word, named)
  const second = Number(groups.second ?? 0)
  const minute = Number(groups.minute ?? 0)
  let hour = Number(groups.hour)
  if (hour > 23 || minute > 59 || second > 59) return undefined
  if (groups.half === undefined) {
    if (named === 'night' && hour === 12) return { hour: 0, minute, second, nextDay: true }
    if (named === undefined) return { hour, minute, second, nextDay: false }
    if (within(hour, PARTS[named].moved)) hour += 12
  } else {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (groups.half === 'pm' ? 12 : 0)
  }
  if (named !== undefined && !within(hour, PARTS[named].kept)) return undefined
  return { hour, minute, second, nextDay: false }
}

function wordTime(word: string, part: DayPart | undefined): ClockTime | undefined {
  if (word !== 'midnight') {
    if (part !== undefined && part !== 'afternoon') return undefined
    return { hour: 12, minute: 0, second: 0, nextDay: false }
  }
  if (part !== undefined && part !== 'night') return undefined
  return { hour: 0, minute: 0, second: 0, nextDay: part === 'night' }
}

function within(hour: number, [from, to]: [number, number]): boolean {
  return hour >= from && hour <= to
}
