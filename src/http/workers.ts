import type { FastifyInstance } from 'fastify'
import type { OperatorContract } from '../client/contract.js'
import { readNothing } from './query.js'

/** `/workers`, who is alive and what they run, and `/stats`, how much was done. */
export function workerRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/workers', async ({ query }) => {
    readNothing(query)
    return { items: await operator.workers(), cursor: null }
  })

  app.get('/stats', async ({ query }) => {
    readNothing(query)
    return operator.stats()
  })
}
