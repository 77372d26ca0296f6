import type { FastifyInstance } from 'fastify'
import type { Job } from '../client/bulk-contract.js'
import type { OperatorContract } from '../client/contract.js'
import { RedisDistroError } from '../core/errors.js'
import { readNothing } from './query.js'

type Params = { Params: { id: string } }

function known(id: string, job: Job | undefined): Job {
  if (job !== undefined) return job
  const words = `no job '${id.slice(0, 128)}' exists; the last hundred are kept`
  throw new RedisDistroError('unknown_job', words)
}

/** `/jobs`, one of them, and its stop, which answers with the job as it then is. */
export function jobRoutes(app: FastifyInstance, operator: OperatorContract): void {
  app.get('/jobs', async ({ query }) => {
    readNothing(query)
    return { items: await operator.jobs(), cursor: null }
  })

  app.get<Params>('/jobs/:id', async ({ params, query }) => {
    readNothing(query)
    return known(params.id, await operator.job(params.id))
  })

  app.post<Params>('/jobs/:id/stop', async ({ params, query }, reply) => {
    readNothing(query)
    const job = known(params.id, await operator.stopJob(params.id))
    return reply.code(job.state === 'running' ? 202 : 200).send(job)
  })
}
