import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Job } from '../client/bulk-contract.js'
import type { OperatorContract } from '../client/contract.js'
import { RedisDistroError } from '../core/errors.js'
import { describe } from './openapi/describe.js'
import { noQuery, readNothing } from './query.js'

type Params = { Params: { id: string } }

function known(id: string, job: Job | undefined): Job {
  if (job !== undefined) return job
  const words = `no job '${id.slice(0, 128)}' exists; the last hundred are kept`
  throw new RedisDistroError('unknown_job', words)
}

const params = z.strictObject({ id: z.string().describe('The id of a job.') })
const one = { tags: ['jobs'], params, query: noQuery, problems: ['unknown_job'] } as const

const listRoute = describe({
  summary: 'The last hundred bulk jobs, the newest first',
  tags: ['jobs'],
  query: noQuery,
  answers: { 200: 'JobList' },
})

const lookRoute = describe({ ...one, summary: 'How far a job is', answers: { 200: 'Job' } })

const stopRoute = describe({
  ...one,
  summary: 'End a job',
  detail: 'What it has done stays done. 202 where a kernel does it, and is being told.',
  answers: { 200: 'Job', 202: 'Job' },
})

/** `/jobs`, one of them, and its stop, which answers with the job as it then is. */
export function jobRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/jobs', listRoute, async ({ query }) => {
    readNothing(query)
    return { items: await operator.jobs(), cursor: null }
  })

  app.get<Params>('/jobs/:id', lookRoute, async ({ params, query }) => {
    readNothing(query)
    return known(params.id, await operator.job(params.id))
  })

  app.post<Params>('/jobs/:id/stop', stopRoute, async ({ params, query }, reply) => {
    readNothing(query)
    const job = known(params.id, await operator.stopJob(params.id))
    return reply.code(job.state === 'running' ? 202 : 200).send(job)
  })
}
