import type { Temporal } from 'temporal-polyfill'

/**
 * What a change of clocks does to a time on the wall of `tz`, in words: `02:30 does not exist in
 * Europe/Rome that day: moved to 03:30`; undefined where it comes once.
 */
export function clockChange(wall: Temporal.PlainDateTime, tz: string): string | undefined {
  const first = wall.toZonedDateTime(tz, { disambiguation: 'earlier' })
  const last = wall.toZonedDateTime(tz, { disambiguation: 'later' })
  if (first.equals(last)) return undefined
  const written = timeOf(wall)
  if (last.toPlainDateTime().equals(wall)) {
    return `${written} comes twice in ${tz} that day: the first is meant`
  }
  return `${written} does not exist in ${tz} that day: moved to ${timeOf(last.toPlainDateTime())}`
}

function timeOf(wall: Temporal.PlainDateTime): string {
  const whole = wall.second === 0 && wall.millisecond === 0
  return wall.toPlainTime().toString({ smallestUnit: whole ? 'minute' : 'second' })
}
