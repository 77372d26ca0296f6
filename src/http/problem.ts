import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { type ErrorCode, type Issue, isRedisDistroError, RedisDistroError } from '../core/errors.js'
import type { State } from '../core/state.js'
import type { Log } from '../telemetry/log.js'

/** What every error answers with: a problem document of RFC 9457, `code` from core's table. */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly code: ErrorCode
  readonly issues?: readonly Issue[]
  /** The state that forbids a move, with `wrong_state`. */
  readonly state?: State
  /** What /ready looked at, and what is wrong. */
  readonly checks?: Readonly<Record<string, string>>
}

/** The HTTP status of an error code; the one place that decides it. */
function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'bad_request':
      return 400
    case 'unauthorized':
      return 401
    case 'forbidden':
      return 403
    case 'unknown_type':
    case 'unknown_queue':
    case 'unknown_task':
    case 'unknown_route':
      return 404
    case 'wrong_state':
      return 409
    case 'too_large':
      return 413
    case 'unsupported_media':
      return 415
    case 'bad_payload':
    case 'bad_option':
    case 'bad_time':
    case 'payload_differs':
      return 422
    case 'too_many_requests':
      return 429
    case 'store_away':
    case 'store_unknown':
    case 'store_full':
    case 'closed':
      return 503
    default:
      return 500
  }
}

/** A problem by its code; `extra` are the members that only some have. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  extra: Pick<Problem, 'issues' | 'state' | 'checks'> = {},
): Problem {
  const status = statusOf(code)
  return { status, title: STATUS_CODES[status] ?? 'Error', detail, code, ...extra }
}

/** What is told of a repeat, where the error's own words do not. */
const hints: Partial<Record<ErrorCode, string>> = {
  store_away: 'nothing was written; repeat the request',
  store_unknown:
    'it may have been written; repeat the request, an enqueue with the same Idempotency-Key or taskId',
  store_full: 'nothing was written; repeat the request later',
}

function detailOf({ code, message }: RedisDistroError): string {
  const hint = hints[code]
  return hint === undefined || /repeat/i.test(message) ? message : `${message}; ${hint}`
}

/** fastify's own errors that have a word of ours. */
const frameworkCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media',
  FST_ERR_MAX_PARAM_LENGTH: 'unknown_route',
  FST_ERR_NOT_FOUND: 'unknown_route',
}

function ofFramework(error: Error): Problem | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = frameworkCodes[code]
  if (known !== undefined) return problemOf(known, error.message)
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? problemOf('bad_request', error.message) : undefined
}

/** The problem that an error is; what nobody expected is logged here and told to nobody. */
export function asProblem(error: unknown, log: Log): Problem {
  if (isRedisDistroError(error) && statusOf(error.code) !== 500) {
    const { code, issues } = error
    return problemOf(code, detailOf(error), issues.length > 0 ? { issues } : {})
  }
  const known =
    error instanceof Error && !isRedisDistroError(error) ? ofFramework(error) : undefined
  if (known !== undefined) return known
  log.error('a request failed', { err: error })
  return problemOf('internal', 'a fault of the server; its log has more')
}

/** Answers with a problem; 503 asks to come again in a second. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 503) reply.header('retry-after', '1')
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(problem))
}

/** One wrong option of a request. */
export const badOption = (path: string, message: string): RedisDistroError =>
  new RedisDistroError('bad_option', `${path}: ${message}`, { issues: [{ path, message }] })

/** All that is wrong with a request, as one error. */
export function wrong(code: ErrorCode, issues: readonly Issue[]): RedisDistroError {
  const shown = issues
    .slice(0, 5)
    .map(({ path, message }) => (path ? `${path}: ${message}` : message))
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`)
  return new RedisDistroError(code, shown.join('; '), { issues })
}
