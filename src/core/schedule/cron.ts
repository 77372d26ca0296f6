import { Cron } from 'croner'

/**
 * The only room that reads cron expressions. Five fields, or six with seconds first; names of days and
 * months, `L`, `W` and `#` as croner takes them; day of month and day of week together mean either.
 * In a zone: a time of day inside a daylight-saving gap comes right after it, a doubled one the first
 * time; what comes every so many minutes goes on through both hours.
 */
const examples = "write five fields such as '0 8 * * 1-5', or six with seconds first"

const read = new Map<string, Cron>()
const mostRead = 1000

function cronOf(expression: string, timezone: string): Cron {
  const key = `${timezone} ${expression}`
  const known = read.get(key)
  if (known !== undefined) return known
  const mode = partsOf(expression).length === 6 ? '6-part' : '5-part'
  const cron = new Cron(expression, { timezone, mode, paused: true })
  if (read.size >= mostRead) read.clear()
  read.set(key, cron)
  return cron
}

const partsOf = (expression: string): string[] => expression.trim().split(/\s+/)

/** Long enough to hold every leap day that falls on any weekday. */
const epoch = new Date(0)

/** Why a text is no cron expression that ever comes; undefined where it is one. */
export function cronProblem(expression: string): string | undefined {
  const shown = JSON.stringify(expression.slice(0, 60))
  const parts = partsOf(expression)
  if (expression.length > 200 || (parts.length !== 5 && parts.length !== 6)) {
    return `${shown} is not a cron expression; ${examples}`
  }
  try {
    if (cronOf(expression, 'UTC').nextRun(epoch) !== null) return undefined
    return `${shown} never comes; ${examples}`
  } catch (error) {
    const words = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : ''
    return `${shown} is not a cron expression (${words.replace(/\.$/, '')}); ${examples}`
  }
}

/** The first tick after an instant, both in ms; undefined where none comes any more. */
export function cronAfter(expression: string, tz: string, after: number): number | undefined {
  return cronOf(expression, tz).nextRun(new Date(after))?.getTime()
}

/** About where the last `count` ticks before an instant began, in ms. */
export function cronBack(expression: string, tz: string, call: { from: number; count: number }) {
  const before = cronOf(expression, tz).previousRuns(call.count, new Date(call.from))
  return before.at(-1)?.getTime() ?? call.from
}
