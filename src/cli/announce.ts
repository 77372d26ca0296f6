import { systemClock } from '../core/clock.js'
import { jsonOf, paint, remark } from './output.js'

/** Says on stderr what becomes of the processes. */
export interface Announce {
  info(sentence: string, fields?: Record<string, unknown>): void
  warn(sentence: string, fields?: Record<string, unknown>): void
  error(sentence: string, fields?: Record<string, unknown>): void
}

// The numbers that the kernel's own log lines carry.
const levels = { info: 30, warn: 40, error: 50 } as const
const colours = { info: 'green', warn: 'yellow', error: 'red' } as const

/** Sentences for people on a terminal; else JSON lines of the form that the kernel's log has. */
export function announcer(forPeople: boolean): Announce {
  const say =
    (level: keyof typeof levels) =>
    (sentence: string, fields: Record<string, unknown> = {}): void => {
      const now = systemClock.now()
      const line = { level: levels[level], time: now, ...fields, msg: sentence }
      remark(forPeople ? people(level, sentence, fields) : jsonOf(line))
    }
  return { info: say('info'), warn: say('warn'), error: say('error') }
}

/** As the kernel's own log lines look on a terminal. */
function people(
  level: keyof typeof levels,
  sentence: string,
  fields: Record<string, unknown>,
): string {
  const time = new Date(systemClock.now()).toTimeString().slice(0, 8)
  const word = paint(colours[level], level.toUpperCase())
  const rest = Object.entries(fields).map(([name, value]) => `\n    ${name}: ${String(value)}`)
  return `[${time}] ${word}: ${sentence}${rest.join('')}`
}
