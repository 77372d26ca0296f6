import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ScheduleFilter, SchedulesContract } from '../client/schedules.js'
import { scheduleSchema } from '../core/schedule.js'
import { lossesIn } from './body.js'
import { describe } from './openapi/describe.js'
import { overLimit, type PayloadLimits } from './payload-limits.js'
import { wrong } from './problem.js'
import { limit, noQuery, pageCursor, readFields, readNothing } from './query.js'

type Params = { Params: { id: string } }

const previewSchema = z.strictObject({
  n: limit.optional().describe('So many; 10 if left out.'),
})

const params = z.strictObject({ id: z.string().describe('The id of a schedule.') })
const tags = ['schedules'] as const
const one = { tags, params, query: noQuery, problems: ['unknown_schedule'] } as const

const listQuery = z.strictObject({
  cursor: pageCursor.optional(),
  limit: limit.optional(),
}) satisfies z.ZodType<ScheduleFilter>

const listRoute = describe({
  summary: 'Schedules by id, with their next times',
  tags,
  query: listQuery,
  answers: { 200: 'ScheduleList' },
})

const lookRoute = describe({
  ...one,
  summary: 'One schedule, with its last runs',
  answers: { 200: 'Schedule' },
})

const previewRoute = describe({
  ...one,
  summary: "A schedule's next times",
  query: previewSchema,
  answers: { 200: 'SchedulePreview' },
})

const putRoute = describe({
  tags,
  params,
  query: noQuery,
  summary: 'Add a schedule, or replace it',
  takes: 'payload',
  body: scheduleSchema,
  answers: {
    200: { says: 'It was replaced.', body: 'Schedule' },
    201: { says: 'It is new.', body: 'Schedule', headers: { Location: 'Its address.' } },
  },
})

const removeRoute = describe({
  ...one,
  summary: 'Remove a schedule',
  detail: 'Tasks that it enqueued stay.',
  answers: { 204: { says: 'It is gone.' } },
})

const runRoute = describe({
  ...one,
  summary: "Enqueue a schedule's task now",
  detail: 'This is no tick, and changes none.',
  answers: {
    202: { says: 'It lies in Redis.', body: 'ScheduleRun', headers: { Location: 'Its address.' } },
  },
  problems: ['unknown_schedule', 'unknown_type', 'unknown_queue', 'bad_payload'],
})

const moves = {
  pause: describe({ ...one, summary: 'Pause a schedule', answers: { 200: 'Schedule' } }),
  resume: describe({
    ...one,
    summary: 'Resume a schedule',
    detail: 'It goes on with its next tick; those that passed are not made up for.',
    answers: { 200: 'Schedule' },
  }),
} as const

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
  app.get('/schedules', listRoute, async ({ query }) => {
    const { items, cursor = null } = await schedules.list(readFields(listQuery, query))
    return { items, cursor }
  })

  app.get<Params>('/schedules/:id', lookRoute, async ({ params, query }) => {
    readNothing(query)
    return await schedules.get(params.id)
  })

  app.get<Params>('/schedules/:id/preview', previewRoute, async ({ params, query }) => {
    const { n } = readFields(previewSchema, query)
    return await schedules.preview(params.id, n)
  })

  app.put<Params>('/schedules/:id', putRoute, async (request, reply) => {
    readNothing(request.query)
    const { id } = request.params
    const { created, schedule } = await schedules.put(id, ruleOf(request, limits))
    if (created) reply.code(201).header('location', `/schedules/${encodeURIComponent(id)}`)
    return schedule
  })

  app.delete<Params>('/schedules/:id', removeRoute, async ({ params, query }, reply) => {
    readNothing(query)
    await schedules.remove(params.id)
    return reply.code(204).send()
  })

  app.post<Params>('/schedules/:id/run', runRoute, async ({ params, query }, reply) => {
    readNothing(query)
    const run = await schedules.run(params.id)
    reply.code(202).header('location', `/tasks/${run.taskId}`)
    return run
  })

  for (const move of ['pause', 'resume'] as const) {
    app.post<Params>(`/schedules/:id/${move}`, moves[move], async ({ params, query }) => {
      readNothing(query)
      return await schedules[move](params.id)
    })
  }
}
