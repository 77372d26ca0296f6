import { Temporal } from 'temporal-polyfill'
import { isOfDays, readAmount, splitAmount } from './amount.js'
import { type CalendarDate, readDate } from './calendar-date.js'
import type { DayPart } from './clock-time.js'
import { WEEKDAYS } from './words.js'

/**
 * The dates that the words may mean, in the order to try them: the first whose time is yet to come
 * is meant. A text that names one date has one.
 */
export interface DayReading {
  dates: Temporal.PlainDate[]
  part?: DayPart
}

const PART = /^(?:(?<day>.+?) )?(?:in the )?(?<part>morning|afternoon|evening|night)$/
const WEEKDAY = /^(?:on )?(?:(?<which>this|next) )?(?<name>[a-z]+)$/

/** Years in which feb 29 comes at least once, even around a century without it. */
const YEARS_AHEAD = 8

/** Reads the words about the day ('' for a bare time); undefined where they are not one day. */
export function readDay(text: string, today: Temporal.PlainDate): DayReading | undefined {
  if (text === '') return { dates: [today, today.add({ days: 1 })] }
  if (text === 'tonight') return { dates: [today], part: 'night' }
  const groups = PART.exec(text)?.groups
  if (groups?.part === undefined) return dated(datesOf(text, today))
  if (groups.day === undefined) return undefined
  const part = groups.part as DayPart
  if (groups.day === 'this') return part === 'night' ? undefined : { dates: [today], part }
  return dated(datesOf(groups.day, today), part)
}

function dated(dates: Temporal.PlainDate[] | undefined, part?: DayPart): DayReading | undefined {
  if (dates === undefined) return undefined
  return part === undefined ? { dates } : { dates, part }
}

function datesOf(text: string, today: Temporal.PlainDate): Temporal.PlainDate[] | undefined {
  if (text === 'today') return [today]
  if (text === 'tomorrow') return [today.add({ days: 1 })]
  if (/^(?:the )?day after tomorrow$/.test(text)) return [today.add({ days: 2 })]
  const amount = readAmount(text)
  if (amount !== undefined) {
    return isOfDays(amount) ? [today.add(splitAmount(amount).calendar)] : undefined
  }
  const groups = WEEKDAY.exec(text)?.groups
  const weekday = WEEKDAYS.get(groups?.name ?? '')
  if (weekday !== undefined) return weekdayDates(weekday, groups?.which, today)
  const date = readDate(text)
  return date === undefined ? undefined : calendarDates(date, today)
}

function weekdayDates(
  weekday: number,
  which: string | undefined,
  today: Temporal.PlainDate,
): Temporal.PlainDate[] {
  const ahead = (weekday - today.dayOfWeek + 7) % 7
  const nearest = today.add({ days: ahead })
  if (which === 'this') return [nearest]
  if (which === 'next') return [ahead === 0 ? nearest.add({ days: 7 }) : nearest]
  return [nearest, nearest.add({ days: 7 })]
}

/** The date itself, or without a year the ones from this year on; empty where there is no such. */
function calendarDates(
  { year, month, day, weekday }: CalendarDate,
  today: Temporal.PlainDate,
): Temporal.PlainDate[] | undefined {
  const years =
    year === undefined ? Array.from({ length: YEARS_AHEAD + 1 }, (_, n) => today.year + n) : [year]
  const dates = years
    .filter((each) => Temporal.PlainYearMonth.from({ year: each, month }).daysInMonth >= day)
    .map((each) => Temporal.PlainDate.from({ year: each, month, day }))
    .filter((date) => year !== undefined || Temporal.PlainDate.compare(date, today) >= 0)
  if (dates.length === 0) return undefined
  if (weekday === undefined) return dates
  // a weekday is a check upon its date, never a way to pick another year
  return dates[0]?.dayOfWeek === weekday ? dates.slice(0, 1) : undefined
}
