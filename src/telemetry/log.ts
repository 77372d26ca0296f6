import pino from 'pino'
import type { TaskLog } from '../core/definition.js'
import { redact } from '../core/secrets.js'
import { redactFields } from './redact-fields.js'

/** The product's log: fixed sentences, what varies is in the fields. */
export interface Log extends TaskLog {
  /** A log whose lines all carry `fields`. */
  with(fields: Record<string, unknown>): Log
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Nothing leaves without a look for secrets; a line that is not written is not looked at. */
function wrap(logger: pino.Logger): Log {
  const say =
    (level: Level) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (logger.isLevelEnabled(level)) logger[level](redactFields(fields), redact(message))
    }
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: (fields) => wrap(logger.child(redactFields(fields))),
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
