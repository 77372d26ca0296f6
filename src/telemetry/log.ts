import pino from 'pino'
import type { TaskLog } from '../core/definition.js'
import { redactFields, redactText } from './redact-fields.js'

/** The product's log: fixed sentences, what varies is in the fields. */
export interface Log extends TaskLog {
  /** A log whose lines all carry `fields`. */
  with(fields: Record<string, unknown>): Log
}

type Level = 'debug' | 'info' | 'warn' | 'error'

type Fields = Readonly<Record<string, unknown>>

/** What stands in every line already; a field of the same name would be there twice. */
const everyLine: Fields = { level: undefined, time: undefined, msg: undefined }

/** Fields whose names are taken get a name of their own, so that no handler speaks for another task. */
function ownNames(fields: Fields, taken: Fields): Fields {
  if (!Object.keys(fields).some((name) => Object.hasOwn(taken, name))) return fields
  const entries = Object.entries(fields).filter(
    ([name, value]) => !(Object.hasOwn(taken, name) && taken[name] === value),
  )
  return Object.fromEntries(
    entries.map(([name, value]) => [Object.hasOwn(taken, name) ? `${name}_` : name, value]),
  )
}

/** Nothing leaves without a look for secrets; a line that is not written is not looked at. */
function wrap(logger: pino.Logger, taken: Fields = everyLine): Log {
  const say =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (!logger.isLevelEnabled(level)) return
      logger[level](redactFields(ownNames(fields, taken)), redactText(message))
    }
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: (fields) => {
      const own = redactFields(ownNames(fields, taken))
      return wrap(logger.child(own), { ...taken, ...own })
    },
  }
}

export interface LogOptions {
  readonly level: string
  /** For people on a terminal; JSON lines otherwise. */
  readonly pretty: boolean
}

/** A log to stderr, synchronous so that last words are not lost with the process. */
export async function createLog(options: LogOptions): Promise<Log> {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    // Errors are plain fields by then, and pino would take them for others' errors.
    serializers: { err: (fields: unknown) => fields },
  }
  if (!options.pretty) return wrap(pino(settings, pino.destination({ dest: 2, sync: true })))
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({
    destination: 2,
    sync: true,
    translateTime: 'SYS:HH:MM:ss',
    colorize: process.stderr.isTTY === true && !process.env.NO_COLOR,
  })
  return wrap(pino(settings, stream))
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
}
