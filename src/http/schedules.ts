import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { SchedulesContract } from '../client/schedules.js'
import { lossesIn } from './body.js'
import { overLimit, type PayloadLimits } from './payload-limits.js'
import { wrong } from './problem.js'
import { limit, readFields, readNothing } from './query.js'

type Params = { Params: { id: string } }

const previewSchema = z.strictObject({ n: limit.optional() })

/** The rule in a body; one that JSON did not keep, or that is too large, is refused. */
function ruleOf(request: FastifyRequest<Params>, limits: PayloadLimits): unknown {
  const { body } = request
  const [loss] = lossesIn(request)
  if (loss !== undefined) throw wrong('bad_option', [loss])
  const message = overLimit(body, limits)
  if (message !== undefined) throw wrong('bad_option', [{ path: '', message }])
  return body
}

/** `/schedules` and what is below it. */
export function scheduleRoutes(
  app: FastifyInstance,
  schedules: SchedulesContract,
  limits: PayloadLimits,
): void {
  app.get('/schedules', async ({ query }) => {
    readNothing(query)
    return { items: await schedules.list(), cursor: null }
  })

  app.get<Params>('/schedules/:id', async ({ params, query }) => {
    readNothing(query)
    return await schedules.get(params.id)
  })

  app.get<Params>('/schedules/:id/preview', async ({ params, query }) => {
    const { n } = readFields(previewSchema, query)
    return await schedules.preview(params.id, n)
  })

  app.put<Params>('/schedules/:id', { config: { takes: 'payload' } }, async (request, reply) => {
    readNothing(request.query)
    const { id } = request.params
    const { created, schedule } = await schedules.put(id, ruleOf(request, limits))
    if (created) reply.code(201).header('location', `/schedules/${encodeURIComponent(id)}`)
    return schedule
  })

  app.delete<Params>('/schedules/:id', async ({ params, query }, reply) => {
    readNothing(query)
    await schedules.remove(params.id)
    return reply.code(204).send()
  })

  app.post<Params>('/schedules/:id/run', async ({ params, query }, reply) => {
    readNothing(query)
    const run = await schedules.run(params.id)
    reply.code(202).header('location', `/tasks/${run.taskId}`)
    return run
  })

  for (const move of ['pause', 'resume'] as const) {
    app.post<Params>(`/schedules/:id/${move}`, async ({ params, query }) => {
      readNothing(query)
      return await schedules[move](params.id)
    })
  }
}
