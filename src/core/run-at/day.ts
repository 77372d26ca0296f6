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
  /** Of a date without its year: when it comes next, which is not meant unless the year is written. */
  next?: Temporal.PlainDate
}

const PART = /^(?:(?<day>.+?) )?(?:in the )?(?<part>morning|afternoon|evening|night)$/
const WEEKDAY = /^(?:on )?(?:(?<which>this|next) )?(?<name>[a-z]+)$/

const ORDINAL = '([1-9]\\d?)(?:st|nd|rd|th)'
const NEXT_MONTH = new RegExp(
  `^(?:(?:on )?the ${ORDINAL} of next month|next month(?: on)? the ${ORDINAL})$`,
)

/** Years in which feb 29 comes at least once, even around a century without it. */
const YEARS_AROUND = 8

/** A date without its year is the nearest one, so that 'nov 1' late in november is no next year's. */
const DAYS_AHEAD = 183

/** Reads the words about the day ('' for a bare time); undefined where they are not one day. */
export function readDay(text: string, today: Temporal.PlainDate): DayReading | undefined {
  if (text === '') return { dates: [today, today.add({ days: 1 })] }
  if (text === 'tonight') return { dates: [today], part: 'night' }
  const groups = PART.exec(text)?.groups
  if (groups?.part === undefined) return readWholeDay(text, today)
  if (groups.day === undefined) return undefined
  const part = groups.part as DayPart
  if (groups.day === 'this') return part === 'night' ? undefined : { dates: [today], part }
  const reading = readWholeDay(groups.day, today)
  return reading === undefined ? undefined : { ...reading, part }
}

function readWholeDay(text: string, today: Temporal.PlainDate): DayReading | undefined {
  if (text === 'today') return { dates: [today] }
  if (text === 'tomorrow') return { dates: [today.add({ days: 1 })] }
  if (/^(?:the )?day after tomorrow$/.test(text)) return { dates: [today.add({ days: 2 })] }
  const amount = readAmount(text)
  if (amount !== undefined) {
    return isOfDays(amount) ? { dates: [today.add(splitAmount(amount).calendar)] } : undefined
  }
  return readFromDay(text, today) ?? readNextMonth(text, today) ?? readNamedDay(text, today)
}

/** 'a week from tomorrow', 'two weeks from friday'; on a friday itself that would be two days. */
function readFromDay(text: string, today: Temporal.PlainDate): DayReading | undefined {
  const [, steps, from] = /^(?:in )?(.+) from (.+)$/.exec(text) ?? []
  if (steps === undefined || from === undefined) return undefined
  const amount = readAmount(`in ${steps}`)
  const [date, another] = readWholeDay(from, today)?.dates ?? []
  if (amount === undefined || !isOfDays(amount) || date === undefined) return undefined
  if (another !== undefined && date.equals(today)) return undefined
  return { dates: [date.add(splitAmount(amount).calendar)] }
}

/** 'next month on the 3rd', 'the 3rd of next month'; undefined where it has no such day. */
function readNextMonth(text: string, today: Temporal.PlainDate): DayReading | undefined {
  const groups = NEXT_MONTH.exec(text)
  if (groups === null) return undefined
  const { year, month } = today.toPlainYearMonth().add({ months: 1 })
  return givenDay({ month, day: Number(groups[1] ?? groups[2]) }, year)
}

function readNamedDay(text: string, today: Temporal.PlainDate): DayReading | undefined {
  const groups = WEEKDAY.exec(text)?.groups
  const weekday = WEEKDAYS.get(groups?.name ?? '')
  if (weekday !== undefined) return { dates: weekdayDates(weekday, groups?.which, today) }
  const date = readDate(text)
  return date === undefined ? undefined : calendarDay(date, today)
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

/** The date itself, or without a year the nearest; undefined where there is no such. */
function calendarDay(date: CalendarDate, today: Temporal.PlainDate): DayReading | undefined {
  const reading = date.year === undefined ? nearestDay(date, today) : givenDay(date, date.year)
  // a weekday is a check upon its date, never a way to pick another year
  const fits = date.weekday === undefined || reading?.dates[0]?.dayOfWeek === date.weekday
  return fits ? reading : undefined
}

function givenDay({ month, day }: CalendarDate, year: number): DayReading | undefined {
  if (Temporal.PlainYearMonth.from({ year, month }).daysInMonth < day) return undefined
  return { dates: [Temporal.PlainDate.from({ year, month, day })] }
}

function nearestDay(date: CalendarDate, today: Temporal.PlainDate): DayReading | undefined {
  const each = Array.from({ length: 2 * YEARS_AROUND + 1 }, (_, n) => today.year - YEARS_AROUND + n)
  const dates = each.flatMap((year) => givenDay(date, year)?.dates ?? [])
  const ahead = (day: Temporal.PlainDate) => today.until(day).days
  const past = dates.findLast((day) => ahead(day) < 0)
  const near = dates.find((day) => ahead(day) >= 0 && ahead(day) <= DAYS_AHEAD) ?? past
  const next = dates.find((day) => ahead(day) > 0)
  return near === undefined || next === undefined ? undefined : { dates: [near], next }
}
