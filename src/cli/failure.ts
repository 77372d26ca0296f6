import { CommanderError } from 'commander'
import { type ErrorCode, type Issue, isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { remark } from './output.js'

/** How the command ended: 0 done, 1 failed, 2 wrong use. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2 } as const

/** The same for people, at the foot of each help. */
export const exitWords = `
Exit codes:
  0  done
  1  failed: the command was right, and could not be done
  2  wrong use: an argument, option, payload, time, or the name of a type,
     queue or file`

/** Codes that speak of what a command was given, its payload in a file or stdin included. */
const ofArguments: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad_request',
  'bad_option',
  'bad_time',
  'bad_payload',
  'unknown_type',
  'unknown_queue',
])

/** True where the command can never be done as it was given. */
function isWrongUse(error: unknown): boolean {
  if (!isRedisDistroError(error)) return false
  if (ofArguments.has(error.code)) return true
  // What the environment's check refuses is named by its flag where it came from one.
  const { code, issues } = error
  return code === 'bad_config' && issues.length > 0 && issues.every(isOfFlag)
}

const isOfFlag = ({ path }: Issue): boolean => path.startsWith('--')

/** The exit code that tells of an error. */
export const exitCodeOf = (error: unknown): number =>
  isWrongUse(error) ? exitCodes.wrongUse : exitCodes.failed

/** A failure of the command with one of the product's codes. */
export const failure = (code: ErrorCode, message: string, cause?: unknown): RedisDistroError =>
  new RedisDistroError(code, message, { cause })

/** An error as people read it on stderr: sentence, code, and the issues it does not name itself. */
export function describeFailure(error: unknown): string {
  if (!isRedisDistroError(error)) return unexpected(error)
  const untold = error.issues.filter(({ message }) => !error.message.includes(message))
  const issues = untold.map(({ path, message }) => `  ${path ? `${path}: ` : ''}${message}`)
  return [`redisdistro [${error.code}]: ${error.message.trimEnd()}`, ...issues].join('\n')
}

/** Not one of the product's errors: its place is of use to whoever mends it. */
function unexpected(error: unknown): string {
  if (!(error instanceof Error)) return `redisdistro: ${String(error)}`
  const words = error.message || error.name
  return /^(debug|trace)$/.test(process.env['LOG_LEVEL'] ?? '') && error.stack
    ? `redisdistro: ${error.stack}`
    : `redisdistro: ${words}`
}

/** Says on stderr why the command failed, where that was not said yet, and gives the exit code. */
export function settleFailure(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse
  }
  remark(describeFailure(error))
  return exitCodeOf(error)
}

/** Says that nobody caught an error, by its stack alone: Node itself would print all that it holds. */
export function endUncaught(error: unknown): never {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
  remark(`redisdistro: an error that nobody caught: ${words}`)
  process.exit(exitCodes.failed)
}
