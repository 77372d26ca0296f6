import type { FastifyInstance, FastifyRequest } from 'fastify'
import { overlaid, partPayload } from '../client/beside.js'
import type { EnqueuedTask, EnqueueEntry, Enqueuer, TypeEntry } from '../client/contract.js'
import { activeTraceparent, inTrace } from '../telemetry/trace.js'
import { lossesIn } from './body.js'
import { elementsOf, mixedEntries } from './elements.js'
import { describe } from './openapi/describe.js'
import { overLimit, type PayloadLimits } from './payload-limits.js'
import { wrong } from './problem.js'
import { batchQuery, optionsQuery, readEnqueueOptions } from './query.js'
import { timesSent } from './raw-headers.js'

type Options = Record<string, unknown>

const headers = {
  'Idempotency-Key': 'Makes the ids: a repeat is answered with what the first one made.',
  traceparent: 'The trace that the tasks are to run in (W3C).',
}

const enqueuing = { tags: ['enqueue'], access: 'enqueue', headers } as const

const single = describe({
  ...enqueuing,
  summary: 'Enqueue a task',
  detail: 'The body is its payload; `runAt`, `delay` and `tz` may lie beside its fields.',
  takes: 'payload',
  query: optionsQuery,
  answers: {
    202: { says: 'It lies in Redis.', body: 'Enqueued', headers: { Location: 'Its address.' } },
  },
})

const batch = describe({
  ...enqueuing,
  summary: 'Enqueue a batch',
  detail: 'All are checked before any is written.',
  takes: 'batch',
  query: batchQuery,
  answers: { 202: 'EnqueuedBatch' },
})

const mixed = describe({
  ...enqueuing,
  summary: 'Enqueue a batch of any types',
  detail: 'All are checked before any is written.',
  takes: 'batch',
  query: batchQuery,
  answers: { 202: 'EnqueuedBatch' },
  problems: ['unknown_type'],
})

type TypeParams = { Params: { type: string } }

/** Runs in the trace that the caller named, where the server's own tracing has begun none. */
function traced<Result>({ headers }: FastifyRequest, run: () => Result): Result {
  const { traceparent } = headers
  const own = activeTraceparent() !== undefined
  return own || typeof traceparent !== 'string' ? run() : inTrace(traceparent, run)
}

function keyHeader({ headers, raw }: FastifyRequest): { idempotencyKey?: string } {
  const key = headers['idempotency-key']
  if (typeof key !== 'string') return {}
  if (timesSent(raw, 'idempotency-key') === 1) return { idempotencyKey: key }
  throw wrong('bad_option', [{ path: 'idempotencyKey', message: 'is given twice' }])
}

function locationOf(task: EnqueuedTask, entry: TypeEntry): string {
  const elsewhere = task.queue === entry.queue ? '' : `?queue=${encodeURIComponent(task.queue)}`
  return `/tasks/${task.id}${elsewhere}`
}

/** The same entry, marked where its payload is too much. */
function limited(entry: EnqueueEntry, limits: PayloadLimits): EnqueueEntry {
  const message = overLimit(entry.payload, limits)
  return message === undefined ? entry : { ...entry, issues: [{ path: '', message }] }
}

/** The entries of a batch, those marked whose text was not kept; `inside` is what elements wrap. */
function kept(entries: readonly EnqueueEntry[], request: FastifyRequest, inside = '') {
  const byIndex = new Map(
    lossesIn(request).map(({ path, message }) => {
      const [index = '', ...rest] = path.split('.')
      const own = inside !== '' && rest[0] === inside ? rest.slice(1) : rest
      return [Number(index), { path: own.join('.'), message }]
    }),
  )
  if (byIndex.size === 0) return entries
  return entries.map((entry, index) => {
    const loss = byIndex.get(index)
    return loss === undefined || entry.issues ? entry : { ...entry, issues: [loss] }
  })
}

interface BatchCall {
  readonly entries: readonly EnqueueEntry[]
  readonly idempotencyKey?: string
  /** The one type of all, where the route names it. */
  readonly type?: string
}

async function enqueueBatch(request: FastifyRequest, enqueuer: Enqueuer, call: BatchCall) {
  const { entries, ...batch } = call
  const tasks = await traced(request, () => enqueuer.enqueueAll(entries, batch))
  const message = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} enqueued`
  return { message, taskIds: tasks.map(({ id }) => id) }
}

/** The options that all of a batch share, and the key that makes its ids. */
function sharedOptions(request: FastifyRequest): { query: Options; idempotencyKey?: string } {
  const { idempotencyKey, ...query } = {
    ...keyHeader(request),
    ...readEnqueueOptions(request.query, true),
  }
  return typeof idempotencyKey === 'string' ? { query, idempotencyKey } : { query }
}

export interface EnqueueParts {
  readonly enqueuer: Enqueuer
  readonly limits: PayloadLimits
  /** Tasks of a batch at most. */
  readonly batchLimit: number
}

function singleRoute(app: FastifyInstance, { enqueuer, limits }: EnqueueParts): void {
  app.post<TypeParams>('/enqueue/:type', single, async (request, reply) => {
    const entry = await enqueuer.type(request.params.type)
    const [loss] = lossesIn(request)
    if (loss !== undefined) throw wrong('bad_payload', [loss])
    const { payload, options } = partPayload(request.body, entry.fields)
    const message = overLimit(payload, limits)
    if (message !== undefined) throw wrong('bad_payload', [{ path: '', message }])
    const query = { ...keyHeader(request), ...readEnqueueOptions(request.query, false) }
    const task = await traced(request, () =>
      enqueuer.enqueue(entry.type, payload, overlaid(options, query)),
    )
    const { id, ...rest } = task
    reply.code(202).header('location', locationOf(task, entry))
    return { message: 'Task enqueued', taskId: id, ...rest }
  })
}

function batchRoutes(app: FastifyInstance, { enqueuer, limits, batchLimit }: EnqueueParts): void {
  app.post<TypeParams>('/enqueue/:type/batch', batch, async (request, reply) => {
    const { type, fields } = await enqueuer.type(request.params.type)
    const { query, ...key } = sharedOptions(request)
    const entries = elementsOf(request.body, batchLimit).map((element) => {
      const { payload, options } = partPayload(element, fields)
      return limited({ type, payload, options: overlaid(options, query) }, limits)
    })
    reply.code(202)
    return enqueueBatch(request, enqueuer, { entries: kept(entries, request), ...key, type })
  })

  app.post('/enqueue', mixed, async (request, reply) => {
    const { query, ...key } = sharedOptions(request)
    const elements = elementsOf(request.body, batchLimit)
    const read = await mixedEntries(enqueuer, elements, query)
    const entries = read.map((entry) => limited(entry, limits))
    reply.code(202)
    return enqueueBatch(request, enqueuer, { entries: kept(entries, request, 'payload'), ...key })
  })
}

/** `POST /enqueue/:type`, `POST /enqueue/:type/batch` and `POST /enqueue`. */
export function enqueueRoutes(app: FastifyInstance, parts: EnqueueParts): void {
  singleRoute(app, parts)
  batchRoutes(app, parts)
}
