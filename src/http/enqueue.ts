import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { EnqueuedTask, EnqueueEntry, Enqueuer, TypeEntry } from '../client/contract.js'
import { activeTraceparent, inTrace } from '../telemetry/trace.js'
import { overLimit, type PayloadLimits } from './payload-limits.js'
import { wrong } from './problem.js'
import { readEnqueueOptions } from './query.js'

type Options = Record<string, unknown>

const maxBatch = 10_000

const access = 'enqueue' as const

type TypeParams = { Params: { type: string } }

/** Options that may lie beside a payload's own fields. */
const beside = ['runAt', 'delay', 'tz'] as const

const isRecord = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parts a body into payload and options; a field that the schema declares is the payload's. */
function partBody(
  body: unknown,
  fields: TypeEntry['fields'],
): { payload: unknown; options: Options } {
  if (!isRecord(body)) return { payload: body, options: {} }
  const taken = beside.filter((name) => Object.hasOwn(body, name) && !fields.has(name))
  if (taken.length === 0) return { payload: body, options: {} }
  const payload = { ...body }
  const options: Options = {}
  for (const name of taken) {
    options[name] = payload[name]
    delete payload[name]
  }
  return { payload, options }
}

/** The query wins; when to run is one choice, so that its `delay` also replaces a `runAt`. */
function merged(own: Options, query: Options): Options {
  const { runAt, delay, ...rest } = own
  const timed = query['runAt'] !== undefined || query['delay'] !== undefined
  return timed ? { ...rest, ...query } : { ...own, ...query }
}

/** Runs in the trace that the caller named, where the server's own tracing has begun none. */
function traced<Result>({ headers }: FastifyRequest, run: () => Result): Result {
  const { traceparent } = headers
  const own = activeTraceparent() !== undefined
  return own || typeof traceparent !== 'string' ? run() : inTrace(traceparent, run)
}

function keyHeader({ headers }: FastifyRequest): { idempotencyKey?: string } {
  const key = headers['idempotency-key']
  return typeof key === 'string' ? { idempotencyKey: key } : {}
}

function locationOf(task: EnqueuedTask, entry: TypeEntry): string {
  const elsewhere = task.queue === entry.queue ? '' : `?queue=${encodeURIComponent(task.queue)}`
  return `/tasks/${task.id}${elsewhere}`
}

function elementsOf(body: unknown): unknown[] {
  const refuse = (message: string) => wrong('bad_payload', [{ path: '', message }])
  if (!Array.isArray(body)) throw refuse('the body must be a JSON array, or NDJSON')
  if (body.length === 0) throw refuse('at least one element is wanted')
  if (body.length > maxBatch) throw refuse(`at most ${maxBatch} elements are taken at once`)
  return body
}

const elementSchema = z.strictObject({
  type: z.string({ error: 'must be the name of a task type' }).min(1, 'must not be empty'),
  payload: z.unknown(),
  options: z.record(z.string(), z.unknown(), 'must be an object').optional(),
})

/** An element of a mixed batch; where it is malformed, what is wrong with it instead. */
function mixedEntry(element: unknown, query: Options): EnqueueEntry {
  const { success, data, error } = elementSchema.safeParse(element)
  if (success) {
    return { type: data.type, payload: data.payload, options: merged(data.options ?? {}, query) }
  }
  const issues = error.issues.map(({ path, code, message }) => ({
    path: path.map(String).join('.'),
    message:
      path.length > 0 || code === 'unrecognized_keys'
        ? message
        : 'must be an object { type, payload, options? }',
  }))
  return { type: '', payload: undefined, issues }
}

/** The same entry, marked where its payload is too much. */
function limited(entry: EnqueueEntry, limits: PayloadLimits): EnqueueEntry {
  const message = overLimit(entry.payload, limits)
  return message === undefined ? entry : { ...entry, issues: [{ path: '', message }] }
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
}

function singleRoute(app: FastifyInstance, { enqueuer, limits }: EnqueueParts): void {
  app.post<TypeParams>(
    '/enqueue/:type',
    { config: { access, takes: 'payload' } },
    async (request, reply) => {
      const entry = await enqueuer.type(request.params.type)
      const { payload, options } = partBody(request.body, entry.fields)
      const message = overLimit(payload, limits)
      if (message !== undefined) throw wrong('bad_payload', [{ path: '', message }])
      const query = { ...keyHeader(request), ...readEnqueueOptions(request.query, false) }
      const task = await traced(request, () =>
        enqueuer.enqueue(entry.type, payload, merged(options, query)),
      )
      const { id, ...rest } = task
      reply.code(202).header('location', locationOf(task, entry))
      return { message: 'Task enqueued', taskId: id, ...rest }
    },
  )
}

function batchRoutes(app: FastifyInstance, { enqueuer, limits }: EnqueueParts): void {
  const config = { access, takes: 'batch' } as const

  app.post<TypeParams>('/enqueue/:type/batch', { config }, async (request, reply) => {
    const { type, fields } = await enqueuer.type(request.params.type)
    const { query, ...key } = sharedOptions(request)
    const entries = elementsOf(request.body).map((element) => {
      const { payload, options } = partBody(element, fields)
      return limited({ type, payload, options: merged(options, query) }, limits)
    })
    reply.code(202)
    return enqueueBatch(request, enqueuer, { entries, ...key, type })
  })

  app.post('/enqueue', { config }, async (request, reply) => {
    const { query, ...key } = sharedOptions(request)
    const entries = elementsOf(request.body).map((element) =>
      limited(mixedEntry(element, query), limits),
    )
    reply.code(202)
    return enqueueBatch(request, enqueuer, { entries, ...key })
  })
}

/** `POST /enqueue/:type`, `POST /enqueue/:type/batch` and `POST /enqueue`. */
export function enqueueRoutes(app: FastifyInstance, parts: EnqueueParts): void {
  singleRoute(app, parts)
  batchRoutes(app, parts)
}
