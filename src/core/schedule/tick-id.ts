import { parseDuration } from '../duration.js'
import type { ScheduleRule } from '../schedule.js'

/** An instant as it stands in ids: ISO, with milliseconds only where there are any. */
export const tickText = (tick: number): string => new Date(tick).toISOString().replace('.000Z', 'Z')

/** The id of the task of a tick, by which it is enqueued once whoever does it. */
export const tickId = (schedule: string, tick: number): string => `${schedule}:${tickText(tick)}`

/** A number from 0 to 1 of a text: the same wherever it is made (FNV-1a with a last stir). */
function shareOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** When the task of a tick is due, in ms: the tick's time, and what the jitter adds to it. */
export function dueOfTick(schedule: string, tick: number, rule: Pick<ScheduleRule, 'jitter'>) {
  const most = rule.jitter === undefined ? 0 : (parseDuration(rule.jitter) ?? 0)
  return most === 0 ? tick : tick + Math.floor(shareOf(tickId(schedule, tick)) * (most + 1))
}
