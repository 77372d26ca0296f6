import pino from 'pino'
import { isSecretName, redact, redacted } from '../core/secrets.js'

/** Deeper than this nothing is logged. */
const deepest = 8
/** More than this of one line is not logged, in values. */
const most = 2000

/** What is left of the budget of one line. */
interface Budget {
  values: number
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
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return value
}

function cleanObject(value: object, depth: number, budget: Budget): unknown {
  if (depth > deepest) return '[deeper]'
  const shown = shownOf(value)
  if (typeof shown !== 'object' || shown === null) return clean(shown, depth, budget)
  if (Array.isArray(shown)) return shown.map((inner) => clean(inner, depth + 1, budget))
  const entries = Object.entries(shown).map(([name, inner], i) => {
    const hidden = isSecretName(name) && isText(inner)
    const key = redact(name)
    // Two that became one would hide a value.
    const told = key === name ? name : `${key} ${i}`
    return [told, hidden ? redacted : clean(inner, depth + 1, budget)]
  })
  return Object.fromEntries(entries)
}

/** A number under such a name counts tokens, as likely as not. */
const isText = (value: unknown): boolean =>
  typeof value === 'string' || (typeof value === 'object' && value !== null)

function clean(value: unknown, depth: number, budget: Budget): unknown {
  budget.values -= 1
  if (budget.values < 0) return '[more]'
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  try {
    return cleanObject(value, depth, budget)
  } catch {
    return '[unreadable]'
  }
}

/**
 * The fields of a log line without secrets, at any depth: those that are named like one, and the
 * values of those that are known. Errors become plain fields. Bounded in depth and size.
 */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return clean(fields, 0, { values: most }) as Record<string, unknown>
}
