import type { ErrorCode } from '../../core/errors.js'
import type { Access } from '../auth.js'
import { statusOf } from '../problem.js'
import type { BodyKind } from '../route-config.js'
import { refTo } from './json-schema.js'

/** What may go wrong with a route, by how it is called. */
export interface Calling {
  readonly method: string
  readonly access: Access
  readonly takes: BodyKind
  /** Whether it looks at its query, and so refuses what is no parameter. */
  readonly hasQuery: boolean
  readonly own: readonly ErrorCode[]
}

const ofEnqueue: readonly ErrorCode[] = [
  'bad_payload',
  'bad_option',
  'bad_time',
  'payload_differs',
  'unknown_queue',
  'store_full',
]

/** Every code that a route may answer with. */
function codesOf({ method, access, takes, hasQuery, own }: Calling): Set<ErrorCode> {
  const codes = new Set<ErrorCode>(['bad_request', 'forbidden', 'internal', ...own])
  const add = (...more: readonly ErrorCode[]) => {
    for (const code of more) codes.add(code)
  }
  const open = access === 'open' || access === 'page'
  if (!open) add('unauthorized')
  if (access !== 'open') add('too_many_requests', 'closed')
  if (!open && hasQuery) add('store_away')
  if (hasQuery) add('bad_option')
  if (method !== 'GET') add('too_large', 'unsupported_media', 'store_unknown', 'store_full')
  if (takes === 'payload' || takes === 'batch') add('bad_payload')
  if (access === 'enqueue') add(...ofEnqueue)
  return codes
}

const header = (says: string, type = 'string') => ({ description: says, schema: { type } })

const headersBy: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': header('Whether a token is missing, wrong or not enough.') },
  403: { 'WWW-Authenticate': header('Given where a token does not open the route.') },
  429: { 'Retry-After': header('Seconds until the next request is taken.', 'integer') },
  503: { 'Retry-After': header('Seconds until a repeat is worth it.', 'integer') },
}

/** Responses by their status, each a problem whose code is one of those that it names. */
export function problemResponses(calling: Calling): Record<string, unknown> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codesOf(calling)) {
    const status = statusOf(code)
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const of = { type: 'object', properties: { code: { enum: codes } } }
      const schema = { allOf: [refTo('Problem'), of] }
      const response = {
        description: `Problem: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
        ...(headersBy[status] && { headers: headersBy[status] }),
        content: { 'application/problem+json': { schema } },
      }
      return [String(status), response]
    }),
  )
}
