import pino from 'pino'
import type { TaskLog } from '../core/definition.js'

/** The product's log: fixed sentences, what varies is in the fields. */
export interface Log extends TaskLog {
  /** A log whose lines all carry `fields`. */
  with(fields: Record<string, unknown>): Log
}

const secretPaths = [
  'authorization',
  'password',
  'token',
  '*.authorization',
  '*.password',
  '*.token',
]

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields) => wrap(logger.child(fields)),
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
    redact: { paths: secretPaths, censor: '[redacted]' },
    base: null,
    serializers: { err: pino.stdSerializers.err },
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
