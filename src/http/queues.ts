import type { FastifyInstance } from 'fastify'
import type { OperatorContract } from '../client/contract.js'
import { limitsChangeSchema } from '../core/limits.js'
import { describe } from './openapi/describe.js'
import { noQuery, readFields, readNothing } from './query.js'

type Params = { Params: { name: string } }

const list = describe({
  summary: 'All queues, and how they do',
  tags: ['queues'],
  query: noQuery,
  answers: { 200: 'QueueList' },
})

const look = describe({
  summary: 'One queue',
  tags: ['queues'],
  query: noQuery,
  answers: { 200: 'Queue' },
  problems: ['unknown_queue'],
})

const summaries = {
  pause: 'Pause a queue: its workers take no more, what runs goes on',
  resume: 'Resume a queue',
} as const

const moved = (move: keyof typeof summaries) =>
  describe({
    summary: summaries[move],
    tags: ['queues'],
    query: noQuery,
    answers: { 200: 'Queue' },
    problems: ['unknown_queue'],
  })

const limit = describe({
  summary: 'Change the limits of a queue',
  detail: 'What is left out stays; null takes a limit away.',
  tags: ['queues'],
  query: noQuery,
  body: limitsChangeSchema,
  answers: { 200: 'Queue' },
  problems: ['unknown_queue', 'bad_option'],
  takes: 'payload',
})

/** `/queues`, one queue, its pause, resume and limits, which answer with the queue as it then is. */
export function queueRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/queues', list, async ({ query }) => {
    readNothing(query)
    return { items: await operator.queues(), cursor: null }
  })

  app.get<Params>('/queues/:name', look, async ({ params, query }) => {
    readNothing(query)
    return operator.queue(params.name)
  })

  for (const move of ['pause', 'resume'] as const) {
    app.post<Params>(`/queues/:name/${move}`, moved(move), async ({ params, query }) => {
      readNothing(query)
      return operator[move](params.name)
    })
  }

  app.put<Params>('/queues/:name/limits', limit, async ({ params, query, body }) => {
    readNothing(query)
    return operator.limit(params.name, readFields(limitsChangeSchema, body))
  })
}
