import { Temporal } from 'temporal-polyfill'
import { durationMessage, parseDuration } from './duration.js'
import { readIsoTime } from './run-at/iso-time.js'
import { readTextTime, type WallTime } from './run-at/text-time.js'

/** What `runAt` and `delay` are given as, with the zone for wall times and now in epoch ms. */
export interface RunAtInput {
  runAt?: string | number | undefined
  delay?: string | number | undefined
  tz: string
  now: number
}

/**
 * When to run: `at` in epoch ms, which is past only for an ISO time or epoch that was (run it now),
 * and `wall` where a time was read on the wall of `tz`; or the refusal, which names the option, the value and what would be understood.
 */
export type RunAtResult =
  | ({ ok: true; kind: 'iso' | 'epoch' | 'duration' | 'text' } & WallTime)
  | { ok: false; reason: string; path: 'runAt' | 'delay' | 'tz' }

const MAX_LENGTH = 100

/** The last instant of the year 9999, beyond which ISO times need six digits for a year. */
const LAST_INSTANT = 253_402_300_799_999

const EXAMPLES =
  'write one such as 2026-12-24T18:00:00Z, 5m, in 2 hours, tomorrow 8am or next friday at 5pm'

/**
 * Reads `runAt` or `delay` against `now` and the zone `tz`, never the machine's clock or zone;
 * undefined when neither is given.
 *
 * @example
 * resolveRunAt({ runAt: 'tomorrow 8am', tz: 'Europe/Rome', now: Date.now() })
 */
export function resolveRunAt(input: RunAtInput): RunAtResult | undefined {
  const { runAt, delay, tz, now } = input
  if (runAt === undefined && delay === undefined) return undefined
  if (runAt !== undefined && delay !== undefined) {
    return refused('delay', 'runAt and delay are both given; give one of them')
  }
  if (!isTimeZone(tz)) {
    return refused('tz', `${shown(tz)} is not a time zone; write an IANA name such as Europe/Rome`)
  }
  const result = delay !== undefined ? readDelay(delay, now) : readRunAt(runAt, { tz, now })
  if (result.ok && result.at > LAST_INSTANT) {
    return refused(delay !== undefined ? 'delay' : 'runAt', 'the time lies beyond the year 9999')
  }
  return result
}

/** Whether this is the IANA name of a zone that the runtime knows; an offset is none. */
export function isTimeZone(tz: string): boolean {
  if (typeof tz !== 'string' || !/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(tz)) return false
  try {
    return new Temporal.ZonedDateTime(0n, tz).timeZoneId !== ''
  } catch {
    return false
  }
}

function readDelay(delay: string | number, now: number): RunAtResult {
  const ms = parseDuration(delay)
  if (ms === undefined) return refused('delay', durationMessage(delay))
  return { ok: true, at: now + ms, kind: 'duration' }
}

function readRunAt(
  runAt: string | number | undefined,
  moment: { tz: string; now: number },
): RunAtResult {
  if (typeof runAt === 'number') return readEpoch(runAt)
  if (typeof runAt !== 'string') return refused('runAt', 'a string or a number is wanted')
  if (runAt.length > MAX_LENGTH) {
    return refused('runAt', `a time of at most ${MAX_LENGTH} characters is wanted; ${EXAMPLES}`)
  }
  const text = runAt.trim()
  if (text === '') return refused('runAt', `the time is empty; ${EXAMPLES}`)
  if (/^\d+$/.test(text)) return readDigits(text)
  const ms = parseDuration(text)
  if (ms !== undefined) return { ok: true, at: moment.now + ms, kind: 'duration' }
  const iso = readIsoTime(text, moment)
  if (iso === 'impossible') return misread(text, 'there is no such date and time')
  if (iso !== undefined) return { ok: true, ...iso, kind: 'iso' }
  const read = readTextTime(text, moment)
  return 'at' in read ? { ok: true, ...read, kind: 'text' } : misread(text, read.problem)
}

/**
 * Only thirteen digits (2001 to 2286) are epoch milliseconds: ten are seconds, and twelve or
 * fourteen may be a date and time run together.
 */
function readDigits(text: string): RunAtResult {
  if (text.length === 13) return { ok: true, at: Number(text), kind: 'epoch' }
  return misread(text, 'epoch milliseconds have 13 digits, and a bare number is not a time')
}

function readEpoch(ms: number): RunAtResult {
  if (Number.isFinite(ms)) return { ok: true, at: Math.trunc(ms), kind: 'epoch' }
  return refused('runAt', `${ms} is not epoch milliseconds`)
}

function misread(text: string, problem: string): RunAtResult {
  return refused('runAt', `${shown(text)} is not understood as a time: ${problem}; ${EXAMPLES}`)
}

function refused(path: 'runAt' | 'delay' | 'tz', reason: string): RunAtResult {
  return { ok: false, reason, path }
}

function shown(text: unknown): string {
  return JSON.stringify(typeof text === 'string' ? text.slice(0, MAX_LENGTH) : text)
}
