import type { FastifyInstance } from 'fastify'
import type { OperatorContract } from '../client/contract.js'
import { limitsChangeSchema } from '../core/limits.js'
import { readFields, readNothing } from './query.js'

type Params = { Params: { name: string } }

/** `/queues`, one queue, its pause, resume and limits, which answer with the queue as it then is. */
export function queueRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/queues', async ({ query }) => {
    readNothing(query)
    return { items: await operator.queues(), cursor: null }
  })

  app.get<Params>('/queues/:name', async ({ params, query }) => {
    readNothing(query)
    return operator.queue(params.name)
  })

  for (const move of ['pause', 'resume'] as const) {
    app.post<Params>(`/queues/:name/${move}`, async ({ params, query }) => {
      readNothing(query)
      return operator[move](params.name)
    })
  }

  app.put<Params>(
    '/queues/:name/limits',
    { config: { takes: 'payload' } },
    async ({ params, query, body }) => {
      readNothing(query)
      return operator.limit(params.name, readFields(limitsChangeSchema, body))
    },
  )
}
