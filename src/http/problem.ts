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
  /** The state that a task is still in, with `wrong_state` and `unique_held`. */
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
    case 'unique_held':
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
  // An enqueue's own words say by which id; what else there is may be done twice.
  store_unknown: 'repeat the request',
  store_full: 'nothing was written; repeat the request later',
}

function detailOf({ code, message }: RedisDistroError): string {
  const hint = hints[code]
  return hint === undefined || /repeat/i.test(message) ? message : `${message}; ${hint}`
}

/** Who only reads is told nothing of what may have been written: an answer is there or is not. */
function problemOfRead({ code, message }: RedisDistroError): Problem | undefined {
  if (code === 'store_away') return problemOf(code, `${message}; repeat the request`)
  if (code !== 'store_unknown') return undefined
  return problemOf('store_away', 'Redis did not answer; repeat the request')
}

/** fastify's own errors that have a code of ours, and words where its own say too little. */
const ofFastify: Record<string, { readonly code: ErrorCode; readonly detail?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'too_large',
    detail: 'the body is larger than http.bodyLimit allows',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'unsupported_media' },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'unknown_route',
    detail: 'a name in the path is longer than any that exists',
  },
  FST_ERR_NOT_FOUND: { code: 'unknown_route' },
}

function ofFramework(error: Error): Problem | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = ofFastify[code]
  if (known !== undefined) return problemOf(known.code, known.detail ?? error.message)
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? problemOf('bad_request', error.message) : undefined
}

/** The problem that an error is; what nobody expected is logged here and told to nobody. */
export function asProblem(error: unknown, { method, log }: { method: string; log: Log }): Problem {
  if (isRedisDistroError(error) && statusOf(error.code) !== 500) {
    const { code, issues } = error
    const read = method === 'GET' || method === 'HEAD' ? problemOfRead(error) : undefined
    if (read !== undefined) return read
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
