import { RedisDistroError } from '../../../src/core/errors.js'
import type { Enqueuing } from './load.js'

/** An answer of the API. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly retryAfter: string | null
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Calls one route; whatever the status. */
export async function callApi(
  url: string,
  { method = 'GET', body, headers }: Call,
): Promise<Answer> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers: { ...type, ...headers }, ...sent })
  const text = await response.text()
  return {
    status: response.status,
    body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {},
    retryAfter: response.headers.get('retry-after'),
  }
}

/** Enqueues by the API of a real producer; a refusal's code is the one of its problem details. */
export function overHttp(url: string): Enqueuing & { readonly refusals: Set<string> } {
  const refusals = new Set<string>()
  return {
    /** What was seen: `503 store_away, again after 1`. */
    refusals,
    async enqueue(type, payload, { taskId } = {}) {
      const query = taskId === undefined ? '' : `?taskId=${taskId}`
      const call = { method: 'POST', body: payload } as const
      const { status, body, retryAfter } = await callApi(`${url}/enqueue/${type}${query}`, call)
      if (status === 202) return
      refusals.add(`${status} ${body['code']}, again after ${retryAfter}`)
      throw new RedisDistroError(body['code'] as RedisDistroError['code'], String(body['detail']))
    },
  }
}
