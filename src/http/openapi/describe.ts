import type { z } from 'zod'
import type { ErrorCode } from '../../core/errors.js'
import type { Access } from '../auth.js'
import type { BodyKind } from '../route-config.js'
import type { AnswerName } from './answers.js'

/** What routes are grouped by, and a sentence on each group. */
export const tags = {
  enqueue: 'Hand tasks in, one or many.',
  tasks: 'Look at tasks, and move them.',
  queues: 'How queues do, and their pause.',
  'dead letters': 'What was given up on: browse, requeue, purge.',
  jobs: 'Dead letters that go again at a rate: look, stop.',
  schedules: 'Tasks by cron or every so often.',
  workers: 'Who works, and how much was done.',
  service: 'Health, metrics and this description.',
} as const

/** The schema of an answer's body: one of answers.ts by its name, or a zod schema of its own. */
type AnswerSchema = AnswerName | z.ZodType

/** An answer; one without a body is that of a 204, say. */
interface Answer {
  readonly says: string
  readonly body?: AnswerSchema
  /** Of the body; `application/json` if left out. */
  readonly media?: string
  /** The media type of a text that the same answer may be instead. */
  readonly text?: string
  /** Headers by name, with a sentence on each. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What /openapi.json says of a route; the schemas are the ones that the route checks by. */
export interface Description {
  /** A few words, without a full stop. */
  readonly summary: string
  readonly tags: readonly (keyof typeof tags)[]
  readonly detail?: string
  /** Left out: names in the path are ids, keys and types as everywhere. */
  readonly params?: z.ZodObject
  /** Left out: the route looks at no query, and refuses none. */
  readonly query?: z.ZodObject
  /** Headers by name, with a sentence on each. */
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON body. Left out: none, or by `takes` what a task type's payload is. */
  readonly body?: z.ZodType
  /** By status, those of success; the name of a schema alone is JSON of that. */
  readonly answers: Readonly<Record<number, AnswerSchema | Answer>>
  /** Errors besides those that every route of its access and method may have. */
  readonly problems?: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    description?: Description
  }
}

/** How a route is called and described, in one. */
type Described = Description & { readonly access?: Access; readonly takes?: BodyKind }

/**
 * The options of a route: who may call it, what it takes, and its place in /openapi.json.
 * @example
 * app.get('/queues', describe({ summary: 'List the queues', tags: ['queues'], query: noQuery,
 *   answers: { 200: 'QueueList' } }), async () => …)
 */
export function describe({ access, takes, ...description }: Described) {
  const config = { description, ...(access && { access }), ...(takes && { takes }) }
  return { config }
}
