import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { DeadLetterFilter, OperatorContract } from '../client/contract.js'
import { describe } from './openapi/describe.js'
import { limit, noQuery, pageCursor, readFields, readNothing, word } from './query.js'

type Params = { Params: { key: string } }

const filterSchema = z.strictObject({
  type: word.optional(),
  queue: word.optional(),
  error: word.optional().describe("A part of the last error's message, or its code."),
})

const pageSchema = filterSchema.extend({ cursor: pageCursor.optional(), limit: limit.optional() })

const list = describe({
  summary: 'Dead-letter keys, with their counts',
  tags: ['dead letters'],
  query: noQuery,
  answers: { 200: 'DeadLetterList' },
})

const browse = describe({
  summary: 'What lies under a dead-letter key',
  tags: ['dead letters'],
  query: pageSchema,
  answers: { 200: 'TaskList' },
})

/** What a filter moves: it may be in the query or in the body. */
const filtered = {
  tags: ['dead letters'],
  detail: 'All, or by a filter in query or body; where both name one thing, the query wins.',
  takes: 'filter',
  query: filterSchema,
  body: filterSchema,
} as const

const requeue = describe({
  ...filtered,
  summary: 'Requeue dead letters',
  answers: { 200: 'Replay' },
})

const purge = describe({ ...filtered, summary: 'Purge dead letters', answers: { 200: 'Purged' } })

/** The filter in the query, or in a JSON body; where both name one thing, the query wins. */
const filterOf = ({ query, body }: FastifyRequest<Params>): DeadLetterFilter => ({
  ...readFields(filterSchema, body),
  ...readFields(filterSchema, query),
})

/** `/dead-letters` and what is below it. A key that holds nothing is empty, not unknown. */
export function deadLetterRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/dead-letters', list, async ({ query }) => {
    readNothing(query)
    return { items: await operator.deadLetters(), cursor: null }
  })

  app.get<Params>('/dead-letters/:key', browse, async ({ params, query }) => {
    const page = readFields(pageSchema, query)
    const { items, cursor = null } = await operator.deadLetter(params.key, page)
    return { items, cursor }
  })

  app.post<Params>('/dead-letters/:key/requeue', requeue, async (request) => {
    return await operator.requeueDead(request.params.key, filterOf(request))
  })

  app.delete<Params>('/dead-letters/:key', purge, async (request) => {
    return { purged: await operator.purgeDead(request.params.key, filterOf(request)) }
  })
}
