/** The families that a caller may treat alike. */
export type ErrorFamily = 'config' | 'caller' | 'infrastructure' | 'lease' | 'handler'

/**
 * Every error code of the product: its family, and the sentence that the docs give it.
 * docs/errors.md is checked against this table.
 */
export const errorCodes = {
  bad_config: {
    family: 'config',
    says: 'The config, its environment or a plugin cannot be used; the message names path, value and rule.',
  },
  plugin_failed: {
    family: 'config',
    says: "A plugin's setup or close failed; the message names the plugin.",
  },
  unsafe_redis: {
    family: 'config',
    says: 'The Redis server would lose tasks (eviction policy), is too old, lacks the database, cannot give the durability asked for, or holds what a newer release wrote.',
  },
  no_rights: {
    family: 'config',
    says: "Redis refuses its user what events need; the message names it, docs/redis.md lists a user's rights.",
  },
  no_store: { family: 'config', says: 'No REDIS_URL is set and no stand-in may serve.' },
  bad_request: {
    family: 'caller',
    says: 'The request is not what the route takes (not JSON, wrong shape).',
  },
  unknown_type: { family: 'caller', says: 'No plugin and no catalogue knows this task type.' },
  unknown_queue: { family: 'caller', says: 'No queue of this name exists.' },
  unknown_task: {
    family: 'caller',
    says: 'No task of this id exists; it may be past its retention.',
  },
  unknown_job: { family: 'caller', says: 'No job of this id exists; the last hundred are kept.' },
  unknown_schedule: { family: 'caller', says: 'No schedule of this id exists.' },
  unknown_route: { family: 'caller', says: 'There is no such route.' },
  bad_payload: {
    family: 'caller',
    says: "The payload does not fit the task type's schema; `issues` lists where.",
  },
  bad_option: {
    family: 'caller',
    says: 'An option is not understood or not allowed; `issues` lists where.',
  },
  bad_time: {
    family: 'caller',
    says: 'A time was not understood whole, or lies where it may not.',
  },
  payload_differs: {
    family: 'caller',
    says: 'The same id or Idempotency-Key was used with another payload.',
  },
  wrong_state: {
    family: 'caller',
    says: "The task's state does not allow this move; the message names the state.",
  },
  unique_held: {
    family: 'caller',
    says: "Another task holds the task's unique key; the message names it.",
  },
  too_large: { family: 'caller', says: 'The body or payload is over its limit.' },
  unsupported_media: { family: 'caller', says: 'The route takes another content type.' },
  too_many_requests: { family: 'caller', says: 'The rate limit of the API was reached.' },
  too_many_listeners: { family: 'caller', says: 'As many listen to events as may at a time.' },
  unauthorized: { family: 'caller', says: 'A token is wanted and none, or a wrong one, was sent.' },
  forbidden: { family: 'caller', says: 'The token, Host or Origin does not open this route.' },
  store_away: {
    family: 'infrastructure',
    says: 'Redis did not take the call; nothing was written.',
  },
  store_unknown: {
    family: 'infrastructure',
    says: 'Redis did not answer, or not that the task is as durable as asked; it may have been written. Repeat with the same id.',
  },
  store_full: {
    family: 'infrastructure',
    says: 'Redis is out of memory and refuses new tasks; nothing was written.',
  },
  closed: { family: 'infrastructure', says: 'The client or kernel is closed.' },
  internal: { family: 'infrastructure', says: 'A fault of the product; its log has more.' },
  lease_lost: {
    family: 'lease',
    says: "The worker's lease was lost; what it says no longer counts.",
  },
  timeout: { family: 'handler', says: 'The handler ran longer than its timeout.' },
  expired: { family: 'handler', says: 'The task was not started within expiresIn.' },
  crashed: {
    family: 'handler',
    says: 'The task ended the process that ran it, alone, more often than maxCrashes allows.',
  },
  lost: { family: 'handler', says: 'The task lost its worker too often.' },
  mismatch: {
    family: 'handler',
    says: 'No worker knew this type or payload within mismatchGrace.',
  },
  fatal: { family: 'handler', says: 'The handler threw FatalError.' },
  failed: { family: 'handler', says: 'The handler threw or rejected.' },
} as const satisfies Record<string, { family: ErrorFamily; says: string }>

export type ErrorCode = keyof typeof errorCodes

/** One place where an input is wrong: `path` in dotted form, `message` what the rule is. */
export interface Issue {
  readonly path: string
  readonly message: string
}

const brand = Symbol.for('redisdistro.error')

export interface ErrorDetails {
  readonly issues?: readonly Issue[]
  readonly cause?: unknown
  /** What the store did or did not do, where the code alone says too little of it. */
  readonly reason?: string
}

/** The one error class of the product; `code` says what happened, the message what to do. */
export class RedisDistroError extends Error {
  readonly code: ErrorCode
  readonly issues: readonly Issue[]
  readonly reason: string | undefined
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'RedisDistroError'
    this.code = code
    this.issues = details.issues ?? []
    this.reason = details.reason
  }

  get family(): ErrorFamily {
    return errorCodes[this.code].family
  }
}

/** True for an error of the product, whichever copy of the package made it. */
export const isRedisDistroError = (error: unknown): error is RedisDistroError =>
  typeof error === 'object' && error !== null && brand in error

/** True where the store is the reason: it was away, full or refused, or did not answer. */
export const isStoreError = (error: unknown): error is RedisDistroError =>
  isRedisDistroError(error) && (error.family === 'infrastructure' || error.code === 'unsafe_redis')

const fatalBrand = Symbol.for('redisdistro.fatal')
const retryBrand = Symbol.for('redisdistro.retry')

/**
 * Thrown by a handler: the task is buried at once, whatever its policy.
 * @example throw new FatalError('image is gone')
 */
export class FatalError extends Error {
  readonly [fatalBrand] = true

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'FatalError'
  }
}

/**
 * Thrown by a handler: the next attempt comes after `after` (a duration) instead of the policy's.
 * @example throw new RetryError('rate limited', { after: '30s' })
 */
export class RetryError extends Error {
  readonly after: string | number
  readonly [retryBrand] = true

  constructor(message: string, options: { after: string | number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RetryError'
    this.after = options.after
  }
}

export const isFatalError = (error: unknown): error is FatalError =>
  typeof error === 'object' && error !== null && fatalBrand in error

export const isRetryError = (error: unknown): error is RetryError =>
  typeof error === 'object' && error !== null && retryBrand in error
