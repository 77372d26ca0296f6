import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { DeadLetterFilter, OperatorContract } from '../client/contract.js'
import { durationSchema } from '../core/duration.js'
import { flag, limit, readFields, readNothing, word } from './query.js'

type Params = { Params: { key: string } }

const filterSchema = z.strictObject({
  type: word.optional(),
  queue: word.optional(),
  error: word.optional(),
  olderThan: durationSchema.optional(),
  newerThan: durationSchema.optional(),
}) satisfies z.ZodType<DeadLetterFilter>

const pageSchema = filterSchema.extend({ cursor: word.optional(), limit: limit.optional() })
const requeueSchema = filterSchema.extend({ rate: word.optional() })
const purgeSchema = filterSchema.extend({ dryRun: flag.optional() })

/** What is given in the query, or in a JSON body; where both name one thing, the query wins. */
const givenBy = <Schema extends z.ZodObject>(
  schema: Schema,
  { query, body }: FastifyRequest<Params>,
): z.output<Schema> => ({ ...readFields(schema, body), ...readFields(schema, query) })

function requeueRoute(app: FastifyInstance, operator: OperatorContract): void {
  const config = { takes: 'filter' } as const
  app.post<Params>(
    '/dead-letters/:key/requeue',
    { config },
    async (request, reply: FastifyReply) => {
      const { rate, ...filter } = givenBy(requeueSchema, request)
      if (rate === undefined) return await operator.requeueDead(request.params.key, filter)
      const job = await operator.startRequeue(request.params.key, filter, rate)
      return reply.code(202).header('location', `/jobs/${job.id}`).send(job)
    },
  )
}

/** `/dead-letters` and what is below it. A key that holds nothing is empty, not unknown. */
export function deadLetterRoutes(app: FastifyInstance, operator: OperatorContract): void {
  const config = { takes: 'filter' } as const

  app.get('/dead-letters', async ({ query }) => {
    readNothing(query)
    return { items: await operator.deadLetters(), cursor: null }
  })

  app.get<Params>('/dead-letters/:key', async ({ params, query }) => {
    const page = readFields(pageSchema, query)
    const { items, cursor = null } = await operator.deadLetter(params.key, page)
    return { items, cursor }
  })

  requeueRoute(app, operator)

  app.delete<Params>('/dead-letters/:key', { config }, async (request) => {
    const { key } = request.params
    const { dryRun, ...filter } = givenBy(purgeSchema, request)
    if (dryRun) return await operator.previewPurge(key, filter)
    return { purged: await operator.purgeDead(key, filter) }
  })
}
