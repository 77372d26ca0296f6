import { Temporal } from 'temporal-polyfill'
import { type Moment, onWall, type WallTime } from './text-time.js'

const ISO =
  /^(?<date>\d{4}-\d{2}-\d{2})[Tt ](?<time>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)(?<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)?$/

/**
 * The instant of an ISO date and time: with an offset that instant, without one the
 * wall time in the zone. Undefined for another form, 'impossible' for a time that does not exist.
 */
export function readIsoTime(text: string, { tz }: Moment): WallTime | 'impossible' | undefined {
  const groups = ISO.exec(text)?.groups
  if (groups === undefined) return undefined
  // Temporal takes second 60 for 59; no clock here shows it
  if (/^\d{2}:\d{2}:[6-9]/.test(groups.time ?? '')) return 'impossible'
  const wall = `${groups.date}T${groups.time}`
  try {
    if (groups.offset === undefined) return onWall(Temporal.PlainDateTime.from(wall), tz)
    return { at: Temporal.Instant.from(`${wall}${groups.offset}`).epochMilliseconds }
  } catch (error) {
    if (error instanceof RangeError) return 'impossible'
    throw error
  }
}
