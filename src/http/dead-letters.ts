import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { DeadLetterFilter, OperatorContract } from '../client/contract.js'
import { limit, readFields, readNothing, word } from './query.js'

type Params = { Params: { key: string } }

const filterSchema = z.strictObject({
  type: word.optional(),
  queue: word.optional(),
  error: word.optional(),
})

const pageSchema = filterSchema.extend({ cursor: word.optional(), limit: limit.optional() })

/** The filter in the query, or in a JSON body; where both name one thing, the query wins. */
const filterOf = ({ query, body }: FastifyRequest<Params>): DeadLetterFilter => ({
  ...readFields(filterSchema, body),
  ...readFields(filterSchema, query),
})

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

  app.post<Params>('/dead-letters/:key/requeue', { config }, async (request) => {
    return await operator.requeueDead(request.params.key, filterOf(request))
  })

  app.delete<Params>('/dead-letters/:key', { config }, async (request) => {
    return { purged: await operator.purgeDead(request.params.key, filterOf(request)) }
  })
}
