import type { FastifyInstance } from 'fastify'
import type { OperatorContract } from '../client/contract.js'
import { describe } from './openapi/describe.js'
import { noQuery, readNothing } from './query.js'

const workers = describe({
  summary: 'Live workers, and what they run',
  tags: ['workers'],
  query: noQuery,
  answers: { 200: 'WorkerList' },
})

const stats = describe({
  summary: 'Counts, rates and latencies',
  tags: ['workers'],
  query: noQuery,
  answers: { 200: 'Stats' },
})

/** `/workers`, who is alive and what they run, and `/stats`, how much was done. */
export function workerRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/workers', workers, async ({ query }) => {
    readNothing(query)
    return { items: await operator.workers(), cursor: null }
  })

  app.get('/stats', stats, async ({ query }) => {
    readNothing(query)
    return operator.stats()
  })
}
