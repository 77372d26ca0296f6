import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import {
  type ErrorCode,
  type Issue,
  isRedisDistroError,
  isStoreError,
  RedisDistroError,
} from '../core/errors.js'
import type { State } from '../core/state.js'
import type { Log } from '../telemetry/log.js'
import { maxParamLength } from './route-config.js'

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
export function statusOf(code: ErrorCode): number {
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
    case 'unknown_job':
    case 'unknown_schedule':
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
    case 'unsafe_redis':
    case 'no_rights':
    case 'closed':
    case 'too_many_listeners':
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

const whereRedisIs = /(?<=\bRedis)( at \S+| by sentinel \([^)]*\)| Cluster \([^)]*\))/g

/** An error of the store without its address and its own words, but for the first: READONLY, say. */
function wordsOf({ message, cause }: RedisDistroError): string {
  const plain = message.replaceAll(whereRedisIs, '')
  if (!(cause instanceof Error) || isRedisDistroError(cause) || cause.message === '') return plain
  const [reason = ''] = /^[A-Z]+\b/.exec(cause.message) ?? []
  return plain.replaceAll(` (${cause.message})`, '').replaceAll(cause.message, reason)
}

function detailOf(error: RedisDistroError): string {
  const { code, message } = error
  if (!isStoreError(error)) return message
  const hint = hints[code]
  const words = wordsOf(error)
  return hint === undefined || /repeat/i.test(words) ? words : `${words}; ${hint}`
}

/** Who only reads is told nothing of what may have been written: an answer is there or is not. */
function problemOfRead(error: RedisDistroError): Problem | undefined {
  const { code } = error
  if (code === 'store_away') return problemOf(code, `${wordsOf(error)}; repeat the request`)
  if (code !== 'store_unknown') return undefined
  return problemOf('store_away', 'Redis did not answer; repeat the request')
}

/** What an error came of, for the words of it. */
export interface Failing {
  readonly method: string
  readonly log: Log
  /** Bytes that the route takes. */
  readonly bodyLimit?: number | undefined
}

/** fastify's own errors that have a code of ours, in words of ours. */
function ofFramework(error: Error, { bodyLimit }: Failing): Problem | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': {
      const most = bodyLimit === undefined ? 'this route takes' : `${bodyLimit} bytes`
      return problemOf('too_large', `the body is larger than ${most} (http.bodyLimit)`)
    }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problemOf('unsupported_media', 'the Content-Type is none that this route takes')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return problemOf(
        'unknown_route',
        `a name in the path is longer than ${maxParamLength} characters`,
      )
    case 'FST_ERR_BAD_URL':
      return problemOf('bad_request', 'the path is not percent-encoded UTF-8')
    case 'FST_ERR_NOT_FOUND':
      return problemOf('unknown_route', 'there is no such route')
  }
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? problemOf('bad_request', error.message) : undefined
}

/** The problem that an error is; what nobody expected is logged, and told to nobody but by its id. */
export function asProblem(error: unknown, failing: Failing): Problem {
  const { method, log } = failing
  if (isRedisDistroError(error) && statusOf(error.code) !== 500) {
    const { code, issues } = error
    const read = method === 'GET' || method === 'HEAD' ? problemOfRead(error) : undefined
    if (read !== undefined) return read
    return problemOf(code, detailOf(error), issues.length > 0 ? { issues } : {})
  }
  const known =
    error instanceof Error && !isRedisDistroError(error) ? ofFramework(error, failing) : undefined
  if (known !== undefined) return known
  const id = randomUUID()
  log.error('a request failed', { err: error, method, id })
  return problemOf('internal', `a fault of the server; its log has more, under ${id}`)
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
