import pino from 'pino'
import { isSecret, redact, redacted } from '../core/secrets.js'

/** Deeper than this nothing is logged. */
const deepest = 8
/** More than this of one line is not logged, in values. */
const mostValues = 2000
/** More than this of one text is not logged, in characters, */
const longest = 65_536
/** and more than this of all texts and names of one line. */
const mostCharacters = 4 * longest
/** How much more than is shown of a text is looked through for secrets, so that the cut halves none. */
const margin = 16_384
/** What stands for what is left out. */
const more = '[more]'

/** What is left of the budget of one line. */
interface Budget {
  values: number
  characters: number
}

/** The arguments of a command of Redis hold passwords and people's payloads. */
const withoutArguments = (command: unknown): unknown =>
  typeof command === 'object' && command !== null && 'name' in command ? command.name : command

function errorFields(error: Error): object {
  const fields: Record<string, unknown> = { ...pino.stdSerializers.err(error) }
  if ('command' in fields) fields['command'] = withoutArguments(fields['command'])
  return fields
}

/** What JSON would show of an object: its own word for itself, or what it has. */
function shownOf(value: object): unknown {
  if (value instanceof Error) return errorFields(value)
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return value
}

/** As much of a text as a line shows, without secrets. */
export function redactText(text: string, most = longest): string {
  const whole = text.length <= most
  const clean = redact(whole ? text : text.slice(0, most + margin))
  return whole ? clean : `${clean.slice(0, most)}${more}`
}

function cleanText(text: string, budget: Budget): string {
  const shown = redactText(text, Math.min(longest, Math.max(0, budget.characters)))
  budget.characters -= shown.length
  return shown
}

const isSpent = ({ values, characters }: Budget): boolean => values <= 0 || characters <= 0

function cleanList(list: readonly unknown[], depth: number, budget: Budget): unknown[] {
  const told: unknown[] = []
  for (const inner of list) {
    if (isSpent(budget)) return [...told, more]
    told.push(clean(inner, depth, budget))
  }
  return told
}

function cleanObject(value: object, depth: number, budget: Budget): unknown {
  if (depth > deepest) return '[deeper]'
  const shown = shownOf(value)
  if (typeof shown !== 'object' || shown === null) return clean(shown, depth, budget)
  if (Array.isArray(shown)) return cleanList(shown, depth + 1, budget)
  const told: [string, unknown][] = []
  for (const name of Object.keys(shown)) {
    if (isSpent(budget)) return Object.fromEntries([...told, [more, true]])
    const inner: unknown = Reflect.get(shown, name)
    const key = cleanText(name, budget)
    told.push([
      // Two that became one would hide a value.
      key === name ? name : `${key} ${told.length}`,
      isSecret(name, inner) ? redacted : clean(inner, depth + 1, budget),
    ])
  }
  return Object.fromEntries(told)
}

function clean(value: unknown, depth: number, budget: Budget): unknown {
  budget.values -= 1
  if (budget.values < 0) return more
  if (typeof value === 'string') return cleanText(value, budget)
  if (typeof value !== 'object' || value === null) return value
  try {
    return cleanObject(value, depth, budget)
  } catch {
    return '[unreadable]'
  }
}

/**
 * The fields of a log line without secrets, at any depth: those that are named like one, and the
 * values of those that are known. Errors become plain fields, and bytes are told by their number.
 * Bounded in depth and size.
 */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  const budget = { values: mostValues, characters: mostCharacters }
  return clean(fields, 0, budget) as Record<string, unknown>
}
