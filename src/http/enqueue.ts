import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { EnqueuedTask, EnqueueEntry, Enqueuer, TypeEntry } from '../client/contract.js'
import type { Issue } from '../core/errors.js'
import { activeTraceparent, inTrace } from '../telemetry/trace.js'
import { overLimit } from './payload-limits.js'
import { wrong } from './problem.js'
import { readEnqueueOptions } from './query.js'

type Options = Record<string, unknown>

const maxBatch = 10_000

/** Options that may lie beside a payload's own fields. */
const beside = ['runAt', 'delay', 'tz'] as const

const isRecord = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parts a body into payload and options; a field that the schema declares is the payload's. */
function partBody(body: unknown, { fields }: TypeEntry): { payload: unknown; options: Options } {
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

function overLimits(entries: readonly { readonly payload: unknown }[]): Issue[] {
  return entries.flatMap(({ payload }, index) => {
    const message = overLimit(payload)
    return message === undefined ? [] : [{ path: `${index}`, message }]
  })
}

const elementSchema = z.strictObject({
  type: z.string().min(1),
  payload: z.unknown(),
  options: z.record(z.string(), z.unknown()).optional(),
})

/** Elements of a mixed batch; all that are malformed are named. */
function mixedEntries(elements: readonly unknown[], query: Options): EnqueueEntry[] {
  const issues: Issue[] = []
  const entries: EnqueueEntry[] = []
  for (const [index, element] of elements.entries()) {
    const { success, data, error } = elementSchema.safeParse(element)
    if (success) {
      const { type, payload, options } = data
      entries.push({ type, payload, options: merged(options ?? {}, query) })
      continue
    }
    for (const { path, message } of error.issues) {
      issues.push({ path: [index, ...path].map(String).join('.'), message })
    }
  }
  if (issues.length > 0) throw wrong('bad_payload', issues)
  return entries
}

interface BatchCall {
  readonly entries: readonly EnqueueEntry[]
  readonly idempotencyKey: string | undefined
}

async function enqueueBatch(request: FastifyRequest, enqueuer: Enqueuer, call: BatchCall) {
  const { entries, idempotencyKey } = call
  const issues = overLimits(entries)
  if (issues.length > 0) throw wrong('bad_payload', issues)
  const tasks = await traced(request, () => enqueuer.enqueueAll(entries, { idempotencyKey }))
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

/** `POST /enqueue/:type`, `POST /enqueue/:type/batch` and `POST /enqueue`. */
export function enqueueRoutes(app: FastifyInstance, enqueuer: Enqueuer): void {
  const access = 'enqueue' as const

  app.post<{ Params: { type: string } }>(
    '/enqueue/:type',
    { config: { access, takes: 'payload' } },
    async (request, reply) => {
      const entry = await enqueuer.type(request.params.type)
      const { payload, options } = partBody(request.body, entry)
      const message = overLimit(payload)
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

  app.post<{ Params: { type: string } }>(
    '/enqueue/:type/batch',
    { config: { access, takes: 'batch' } },
    async (request, reply) => {
      const entry = await enqueuer.type(request.params.type)
      const { query, idempotencyKey } = sharedOptions(request)
      const entries = elementsOf(request.body).map((element) => {
        const { payload, options } = partBody(element, entry)
        return { type: entry.type, payload, options: merged(options, query) }
      })
      reply.code(202)
      return enqueueBatch(request, enqueuer, { entries, idempotencyKey })
    },
  )

  app.post('/enqueue', { config: { access, takes: 'batch' } }, async (request, reply) => {
    const { query, idempotencyKey } = sharedOptions(request)
    const entries = mixedEntries(elementsOf(request.body), query)
    reply.code(202)
    return enqueueBatch(request, enqueuer, { entries, idempotencyKey })
  })
}
