import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { MoveResult, OperatorContract, TaskFilter } from '../client/contract.js'
import { durationMessage, formatDuration, parseDuration } from '../core/duration.js'
import { RedisDistroError } from '../core/errors.js'
import { states, transitions } from '../core/state.js'
import type { Task } from '../core/task.js'
import { lossesIn } from './body.js'
import { describe } from './openapi/describe.js'
import { overLimit, type PayloadLimits } from './payload-limits.js'
import { badOption, problemOf, sendProblem, wrong } from './problem.js'
import { flag, limit, pageCursor, queueOnly, readFields, readId, readQueue, word } from './query.js'

/** A wait longer than this ends here; the answer's header `Wait-Limit` then says so. */
const maxWait = 60_000

export interface TaskParts {
  readonly operator: OperatorContract
  readonly limits: PayloadLimits
  /** Aborted when the server stops, so that no wait holds it up. */
  readonly stopping: AbortSignal
}

type Params = { Params: { id: string } }

const lookQuery = queueOnly.extend({
  wait: word.optional().describe('A duration such as 30s, a minute at most.'),
})

const listQuery = z.strictObject({
  state: z.enum(states, `must be one of ${states.join(', ')}`).optional(),
  type: word.optional(),
  queue: word.optional(),
  tag: word.optional(),
  cursor: pageCursor.optional(),
  limit: limit.optional(),
}) satisfies z.ZodType<TaskFilter>

const unknownTask = (id: string): RedisDistroError =>
  new RedisDistroError('unknown_task', `no task '${id}' exists; it may be past its retention`)

function readWait(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw badOption('wait', durationMessage(text))
  return ms
}

interface Wait {
  readonly id: string
  readonly ms: number
  readonly queue: string | undefined
}

/** Waits for the task's end, its caller's departure or the server's, whichever comes first. */
async function waitForEnd(parts: TaskParts, reply: FastifyReply, wait: Wait) {
  const { operator, stopping } = parts
  const { id, ms, queue } = wait
  const over = new AbortController()
  const stop = () => over.abort()
  reply.raw.once('close', stop)
  stopping.addEventListener('abort', stop, { once: true })
  try {
    return await operator.waitFor(id, ms, { queue, signal: over.signal })
  } catch (error) {
    if (!over.signal.aborted) throw error
    return reply.raw.destroyed ? undefined : await operator.task(id, queue)
  } finally {
    reply.raw.off('close', stop)
    stopping.removeEventListener('abort', stop)
  }
}

async function look(parts: TaskParts, reply: FastifyReply, asked: Wait): Promise<Task> {
  if (asked.ms > maxWait) reply.header('wait-limit', formatDuration(maxWait))
  const wait = { ...asked, ms: Math.min(asked.ms, maxWait) }
  const task =
    wait.ms > 0
      ? await waitForEnd(parts, reply, wait)
      : await parts.operator.task(asked.id, asked.queue)
  if (task === undefined) throw unknownTask(asked.id)
  return task
}

/** What a person does with a task by this API: where it may start, and the word for it. */
const verbs = {
  cancel: { from: transitions.cancel.from, done: 'cancelled' },
  requeue: { from: transitions.requeue.from, done: 'requeued' },
  promote: { from: transitions.promote.from, done: 'promoted' },
  prune: { from: transitions.prune.from, done: 'erased' },
  edit: { from: [...transitions.promote.from, ...transitions.requeue.from], done: 'edited' },
} as const

/** `a`, `a or b`, `a, b or c`. */
const oneOf = (words: readonly string[]): string => words.join(', ').replace(/, ([^,]*)$/, ' or $1')

interface Move {
  readonly name: keyof typeof verbs
  readonly id: string
  readonly result: MoveResult
}

/** Answers a move that was refused; undefined where it was not. */
function refused(reply: FastifyReply, { name, id, result }: Move): FastifyReply | undefined {
  if (result.ok) return undefined
  if (result.reason === 'unknown_task') throw unknownTask(id)
  const { state } = result
  if (result.reason === 'unique_held') {
    const words = `task '${id}' stays ${state}: task '${result.holder}' holds its unique key by now`
    return sendProblem(reply, problemOf('unique_held', words, { state }))
  }
  const { from, done } = verbs[name]
  const detail = `task '${id}' is ${state}; only one that is ${oneOf(from)} can be ${done}`
  return sendProblem(reply, problemOf('wrong_state', detail, { state }))
}

const taskOf = (result: MoveResult & { ok: true }, fallback: Pick<Task, 'id' | 'state'>) =>
  result.task ?? fallback

const lookRoute = describe({
  summary: 'One task',
  detail: '`wait` waits for its end, a minute at most, and answers with the state then reached.',
  tags: ['tasks'],
  access: 'task',
  query: lookQuery,
  answers: {
    200: {
      says: 'The task.',
      body: 'Task',
      headers: { 'Wait-Limit': 'The longest wait there is, where a longer one was asked for.' },
    },
  },
  problems: ['unknown_task', 'unknown_queue'],
})

const listRoute = describe({
  summary: 'Tasks, by state, type, queue or tag',
  tags: ['tasks'],
  query: listQuery,
  answers: { 200: 'TaskList' },
  problems: ['unknown_queue'],
})

const moving = {
  tags: ['tasks'],
  query: queueOnly,
  problems: ['unknown_task', 'unknown_queue', 'wrong_state'],
} as const

const cancelRoute = describe({
  ...moving,
  summary: 'Cancel a task',
  detail: '202 where it was running, and its handler is being told.',
  answers: { 200: 'MovedTask', 202: 'MovedTask' },
})

const moves = {
  requeue: describe({
    ...moving,
    summary: 'Requeue a task that is dead or cancelled',
    answers: { 200: 'MovedTask' },
    problems: [...moving.problems, 'unique_held'],
  }),
  promote: describe({
    ...moving,
    summary: 'Run a task that is scheduled or retryable now',
    answers: { 200: 'MovedTask' },
  }),
} as const

const eraseRoute = describe({
  ...moving,
  summary: 'Erase a task that has ended',
  answers: { 204: { says: 'It is gone.' } },
})

function lookRoutes(app: FastifyInstance, parts: TaskParts): void {
  app.get<Params>('/tasks/:id', lookRoute, async (request, reply) => {
    const { wait, queue } = readFields(lookQuery, request.query)
    const ms = wait === undefined ? 0 : readWait(wait)
    return look(parts, reply, { id: readId(request.params), ms, queue })
  })

  app.get('/tasks', listRoute, async (request) => {
    const { items, cursor = null } = await parts.operator.tasks(
      readFields(listQuery, request.query),
    )
    return { items, cursor }
  })
}

function moveRoutes(app: FastifyInstance, { operator }: TaskParts): void {
  app.post<Params>('/tasks/:id/cancel', cancelRoute, async (request, reply) => {
    const id = readId(request.params)
    const result = await operator.cancel(id, readQueue(request.query))
    if (!result.ok) return refused(reply, { name: 'cancel', id, result })
    reply.code(result.from === 'active' ? 202 : 200)
    return taskOf(result, { id, state: 'cancelled' })
  })

  for (const name of ['requeue', 'promote'] as const) {
    app.post<Params>(`/tasks/:id/${name}`, moves[name], async (request, reply) => {
      const id = readId(request.params)
      const result = await operator[name](id, readQueue(request.query))
      if (!result.ok) return refused(reply, { name, id, result })
      return taskOf(result, { id, state: 'waiting' })
    })
  }

  app.delete<Params>('/tasks/:id', eraseRoute, async (request, reply) => {
    const id = readId(request.params)
    const result = await operator.erase(id, readQueue(request.query))
    return refused(reply, { name: 'prune', id, result }) ?? reply.code(204).send()
  })
}

const editQuery = queueOnly.extend({
  run: flag.optional().describe('Let it run now too.'),
})

const editing = describe({
  summary: 'Give a task that does not run another payload',
  detail: 'One that is scheduled, retryable, dead or cancelled. The body is the whole payload.',
  tags: ['tasks'],
  takes: 'payload',
  query: editQuery,
  body: z.unknown(),
  answers: { 200: 'MovedTask' },
  problems: [...moving.problems, 'unique_held', 'unknown_type'],
})

function editRoute(app: FastifyInstance, { operator, limits }: TaskParts): void {
  app.put<Params>('/tasks/:id/payload', editing, async (request, reply) => {
    const id = readId(request.params)
    const options = readFields(editQuery, request.query)
    const over = overLimit(request.body, limits)
    const issues = over === undefined ? lossesIn(request) : [{ path: '', message: over }]
    if (issues.length > 0) throw wrong('bad_payload', issues)
    const result = await operator.edit(id, request.body, options)
    if (!result.ok) return refused(reply, { name: 'edit', id, result })
    return taskOf(result, { id, state: options.run ? 'waiting' : result.from })
  })
}

/** `/tasks` and what is below it. */
export function taskRoutes(app: FastifyInstance, parts: TaskParts): void {
  lookRoutes(app, parts)
  moveRoutes(app, parts)
  editRoute(app, parts)
}
