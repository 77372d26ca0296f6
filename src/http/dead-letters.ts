import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { DeadLetterFilter, OperatorContract } from '../client/contract.js'
import { durationSchema } from '../core/duration.js'
import { describe } from './openapi/describe.js'
import { flag, limit, noQuery, pageCursor, readFields, readNothing, word } from './query.js'

type Params = { Params: { key: string } }

const filterSchema = z.strictObject({
  type: word.optional(),
  queue: word.optional(),
  error: word.optional().describe("A part of the last error's message, or its code."),
  olderThan: durationSchema.optional().describe('Dead for at least so long, such as 1h.'),
  newerThan: durationSchema.optional().describe('Dead for at most so long.'),
}) satisfies z.ZodType<DeadLetterFilter>

const pageSchema = filterSchema.extend({ cursor: pageCursor.optional(), limit: limit.optional() })
const requeueSchema = filterSchema.extend({
  rate: word.optional().describe('So many at a time, such as 50/s: as a job that kernels do.'),
})
const purgeSchema = filterSchema.extend({
  dryRun: flag.optional().describe('Say what would be erased, and erase nothing.'),
})

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
  problems: ['unknown_queue'],
})

/** What a filter moves: it may be in the query or in the body. */
const filtered = {
  tags: ['dead letters'],
  detail: 'All, or by a filter in query or body; where both name one thing, the query wins.',
  takes: 'filter',
  problems: ['unknown_queue'],
} as const

const requeue = describe({
  ...filtered,
  summary: 'Requeue dead letters',
  query: requeueSchema,
  body: requeueSchema,
  answers: {
    200: 'Replay',
    202: {
      says: 'With a rate: the job that does it.',
      body: 'Job',
      headers: { Location: 'Its address.' },
    },
  },
})

const purge = describe({
  ...filtered,
  summary: 'Purge dead letters',
  query: purgeSchema,
  body: purgeSchema,
  answers: { 200: 'PurgedOrPreview' },
})

/** What is given in the query, or in a JSON body; where both name one thing, the query wins. */
const givenBy = <Schema extends z.ZodObject>(
  schema: Schema,
  { query, body }: FastifyRequest<Params>,
): z.output<Schema> => ({ ...readFields(schema, body), ...readFields(schema, query) })

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

  app.post<Params>('/dead-letters/:key/requeue', requeue, async (request, reply) => {
    const { rate, ...filter } = givenBy(requeueSchema, request)
    if (rate === undefined) return await operator.requeueDead(request.params.key, filter)
    const job = await operator.startRequeue(request.params.key, filter, rate)
    return reply.code(202).header('location', `/jobs/${job.id}`).send(job)
  })

  app.delete<Params>('/dead-letters/:key', purge, async (request) => {
    const { key } = request.params
    const { dryRun, ...filter } = givenBy(purgeSchema, request)
    if (dryRun) return await operator.previewPurge(key, filter)
    return { purged: await operator.purgeDead(key, filter) }
  })
}
