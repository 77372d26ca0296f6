import { parseDuration } from './duration.js'
import { isFatalError, isRedisDistroError, isRetryError } from './errors.js'
import { type RetryPolicy, retryDelay } from './retry.js'
import { redact } from './secrets.js'
import type { TaskError } from './task.js'

/** How one attempt of a handler went, before anyone decided what follows. */
export type AttemptEnd =
  | { readonly kind: 'returned'; readonly result: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }

/** What follows from an attempt; `after` in ms from now. */
export type Outcome =
  | { readonly name: 'complete'; readonly result: unknown }
  | { readonly name: 'retry'; readonly after: number; readonly error: TaskError }
  | { readonly name: 'bury'; readonly error: TaskError }

export interface OutcomeContext {
  readonly policy: RetryPolicy
  /** The attempt that ended, from 1. */
  readonly attempt: number
  readonly random: () => number
}

const longestMessage = 2048
const longestStack = 4096
const longestCode = 64

function wordsOf(error: unknown): string {
  if (error === undefined) return 'the handler rejected with undefined'
  if (typeof error === 'string') return error
  try {
    return JSON.stringify(error) ?? String(error)
  } catch {
    return Object.prototype.toString.call(error)
  }
}

/** The product's own codes are what filters look for, and are no secrets whatever else is. */
function codeOf(error: unknown): string {
  if (isFatalError(error)) return 'fatal'
  if (isRedisDistroError(error)) return error.code
  if (typeof error === 'object' && error !== null && 'code' in error) {
    if (typeof error.code === 'string') return kept(error.code, longestCode)
  }
  return 'failed'
}

/** What a getter or a proxy of a handler's throws must not go on up to the kernel. */
function readable<T>(read: () => T, fallback: T): T {
  try {
    return read()
  } catch {
    return fallback
  }
}

const isError = (error: unknown): error is Error => readable(() => error instanceof Error, false)

/** How much more than is kept of a text is looked through for secrets, so that the cut halves none. */
const margin = 16_384

/** As much of a text as is kept, without secrets: the record is stored, and shown to others. */
const kept = (text: string, length: number): string =>
  redact(text.slice(0, length + margin)).slice(0, length)

/**
 * Anything that was thrown, as the bounded record that is kept with the attempt, without known
 * secrets. Never throws.
 */
export function toTaskError(error: unknown): TaskError {
  const code = readable(() => codeOf(error), 'failed')
  const unreadable = 'what was thrown cannot be read'
  if (!isError(error)) {
    const message = readable(() => wordsOf(error), unreadable)
    return { name: 'Error', message: kept(message, longestMessage), code }
  }
  const stack: unknown = readable(() => error.stack, undefined)
  return {
    name: kept(
      readable(() => String(error.name), 'Error'),
      128,
    ),
    message: kept(
      readable(() => String(error.message), unreadable),
      longestMessage,
    ),
    code,
    ...(typeof stack === 'string' ? { stack: kept(stack, longestStack) } : {}),
  }
}

function delayAfter(error: unknown, context: OutcomeContext): number | 'bury' {
  const { policy, attempt } = context
  // First, since the error's own word may be one that throws.
  if (attempt >= policy.attempts || isFatalError(error)) return 'bury'
  const byPolicy = () => retryDelay(policy, attempt, context.random)
  if (isRetryError(error)) return parseDuration(error.after) ?? byPolicy()
  const decision = policy.decide?.(error, { attempt }) ?? 'retry'
  if (decision === 'bury') return 'bury'
  if (decision === 'retry') return byPolicy()
  return parseDuration(decision.after) ?? byPolicy()
}

/**
 * What follows from an attempt's end, by the error's own word first and the policy second. Pure:
 * chance comes in by `context.random`. A `decide` that throws counts as 'retry'. Never throws.
 */
export function decideOutcome(end: AttemptEnd, context: OutcomeContext): Outcome {
  if (end.kind === 'returned') return { name: 'complete', result: end.result }
  const error = toTaskError(end.error)
  let after: number | 'bury'
  try {
    after = delayAfter(end.error, context)
  } catch {
    after = retryDelay(context.policy, context.attempt, context.random)
  }
  return after === 'bury' ? { name: 'bury', error } : { name: 'retry', after, error }
}
