import { Temporal } from 'temporal-polyfill'
import { type Amount, readAmount, splitAmount } from './amount.js'
import { type DayPart, readClock, splitClock } from './clock-time.js'
import { type DayReading, readDay } from './day.js'
import { corrected, MONTHS, normalise, objection } from './words.js'

/** Where and when a text is read: an IANA zone, and now in epoch ms. */
export interface Moment {
  tz: string
  now: number
}

/** An instant in epoch ms, and the time on the zone's wall that it was read from, where one was. */
export interface WallTime {
  at: number
  wall?: Temporal.PlainDateTime
}

/** An instant later than now, or in words what stands in the way of reading one. */
export type TextTime = WallTime | { problem: string }

const VAGUE = /(?<!of )\b(?:next|this) (?:week|month|year)\b(?! (?:on|the) )/
const NO_CLOCK = 'a time of the day is wanted with it, such as 8am, 17:30 or noon'

/**
 * Reads a text such as 'tomorrow 8am' or 'in 2 hours' whole. What the words mean is decided here
 * and by the readers of its parts; the arithmetic over the zone's changes is Temporal's.
 */
export function readTextTime(text: string, moment: Moment): TextTime {
  const words = normalise(text)
  if (/^(?:now|right now)$/.test(words)) return { problem: 'leave runAt out to run now' }
  const problem = objection(words)
  if (problem !== undefined) return { problem: `${problem}${suggestion(words, moment)}` }
  return readKnown(words, moment)
}

/** What was probably meant: the whole text where that is understood, else the one word. */
function suggestion(words: string, moment: Moment): string {
  const near = corrected(words)
  if (near === undefined) return ''
  const whole = objection(near.text) === undefined && 'at' in readKnown(near.text, moment)
  return ` (did you mean '${whole ? near.text : near.word}'?)`
}

function readKnown(words: string, moment: Moment): TextTime {
  try {
    return readWords(words, moment)
  } catch (error) {
    // Temporal throws a RangeError for what lies beyond its calendar
    if (error instanceof RangeError) return { problem: 'the time is too far away' }
    throw error
  }
}

/** The instant of a wall time in a zone: forward over a gap, the first of a doubled hour. */
export function onWall(wall: Temporal.PlainDateTime, tz: string): Required<WallTime> {
  return { at: wall.toZonedDateTime(tz, { disambiguation: 'compatible' }).epochMilliseconds, wall }
}

function readWords(words: string, moment: Moment): TextTime {
  const amount = readAmount(words)
  if (amount !== undefined) return later(amount, moment)
  const today = zoned(moment).toPlainDate()
  const splits = splitClock(words)
  for (const { clock, day } of splits) {
    const reading = readDay(day, today)
    if (reading === undefined) continue
    const time = readClock(clock, reading.part)
    if (time === undefined) return { problem: `'${clock}' is not a time of that day` }
    const { nextDay, ...clockTime } = time
    const times = reading.dates.map((date) =>
      onWall(date.add({ days: nextDay ? 1 : 0 }).toPlainDateTime(clockTime), moment.tz),
    )
    return times.find(({ at }) => at > moment.now) ?? { problem: pastWords(clock, reading) }
  }
  const [vague] = VAGUE.exec(words) ?? []
  if (vague !== undefined) {
    return { problem: `'${vague}' is not one day, write one such as next monday or dec 24` }
  }
  if (splits[0] !== undefined) return { problem: `'${splits[0].day}' is not understood as one day` }
  if (readDay(words, today) !== undefined) return { problem: NO_CLOCK }
  return { problem: 'it is not a time as a whole' }
}

/** A date without its year is told as it was read, and how its next would be written. */
function pastWords(clock: string, { dates, part, next }: DayReading): string {
  if (next === undefined) return 'that time is past'
  const month = [...MONTHS][next.month - 1]?.slice(0, 3)
  const named = part === undefined || clock.endsWith(part) ? '' : partWords[part]
  const written = `${month} ${next.day} ${next.year} ${clock}${named}`
  return `it is read as ${dates[0]}, which is past; write the year if the next is meant (${written})`
}

const partWords: Record<DayPart, string> = {
  morning: ' in the morning',
  afternoon: ' in the afternoon',
  evening: ' in the evening',
  night: ' at night',
}

function later(amount: Amount, moment: Moment): TextTime {
  const { calendar, ms } = splitAmount(amount)
  const ofDays = Object.keys(calendar).length > 0
  const day = ofDays ? onWall(zoned(moment).toPlainDateTime().add(calendar), moment.tz) : undefined
  const at = (day?.at ?? moment.now) + ms
  if (at <= moment.now) return { problem: 'leave runAt out to run now' }
  return day !== undefined && ms === 0 ? day : { at }
}

function zoned({ tz, now }: Moment): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(tz)
}
