import { z } from 'zod'
import { enqueueOptionsSchema, idPattern } from '../core/enqueue-options.js'
import { type Issue, RedisDistroError } from '../core/errors.js'
import { wrong } from './problem.js'

/** A query parameter that is not empty. */
export const word = z.string().min(1, 'must not be empty')

/** `cursor` of a list: that of the page before. */
export const pageCursor = word.describe('That of the page before.')

/** `limit` of a list: 1 to 1000. */
export const limit = z
  .string()
  .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
  .transform(Number)
  .meta({ shownAs: { type: 'integer', minimum: 1, maximum: 1000 } })

/** A switch of a query or a filter: `true` or `false`. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'must be true or false')
  .transform((value) => String(value) === 'true')
  .meta({ shownAs: { type: 'boolean' } })

type Fields = Record<string, unknown>

const unknownKeys = (keys: readonly string[], allowed: readonly string[]): Issue[] => {
  const choice = allowed.length > 0 ? `there are ${allowed.join(', ')}` : 'there are none here'
  return keys.map((path) => ({ path, message: `is no parameter; ${choice}` }))
}

const repeated = (query: Fields): Issue[] =>
  Object.keys(query)
    .filter((path) => Array.isArray(query[path]))
    .map((path) => ({ path, message: 'is given more than once' }))

function issuesOf(error: z.ZodError, allowed: readonly string[]): Issue[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? unknownKeys(issue.keys, allowed)
      : [{ path: issue.path.map(String).join('.'), message: issue.message }],
  )
}

/**
 * Reads parameters by a strict schema.
 * @throws RedisDistroError `bad_option` that names what is wrong, and what there is
 */
export function readFields<Schema extends z.ZodObject>(
  schema: Schema,
  given: unknown,
): z.output<Schema> {
  if (given !== undefined && (typeof given !== 'object' || Array.isArray(given) || !given)) {
    throw wrong('bad_option', [{ path: '', message: 'a JSON object is wanted' }])
  }
  const fields: Fields = { ...given }
  const twice = repeated(fields)
  if (twice.length > 0) throw wrong('bad_option', twice)
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  throw wrong('bad_option', issuesOf(result.error, Object.keys(schema.shape)))
}

/** `?queue=` alone. */
export const queueOnly = z.strictObject({
  queue: word.optional().describe('Where an id repeats over queues, the one that is meant.'),
})

/** `?queue=`, which says where an id that repeats over queues is meant. */
export const readQueue = (query: unknown): string | undefined => readFields(queueOnly, query).queue

/** Of routes that have no parameter. */
export const noQuery = z.strictObject({})

/** Refuses any parameter, where a route has none. */
export const readNothing = (query: unknown): void => void readFields(noQuery, query)

/** The id in a path; one that could be nobody's is unknown. */
export function readId(params: unknown): string {
  const { id } = params as { id: string }
  if (idPattern.test(id)) return id
  throw new RedisDistroError('unknown_task', `no task '${id.slice(0, 128)}' exists`)
}

const each = 'give each element its own, in the `options` of POST /enqueue'

/** Options that speak of one task, and why a batch cannot share them. */
const single = new Map([
  ['taskId', `is one id, and a batch has many: send an Idempotency-Key, or ${each}`],
  ['uniqueKey', `would make every task of the batch a duplicate of its first: ${each}`],
  ['uniqueFor', `goes with uniqueKey, which a batch cannot share: ${each}`],
])

const optionNames = Object.keys(enqueueOptionsSchema.shape)

/** The query of an enqueue as it is told of: every option, and those of a whole batch. */
export const optionsQuery = z.strictObject(enqueueOptionsSchema.shape)
export const batchQuery = optionsQuery.omit({ taskId: true, uniqueKey: true, uniqueFor: true })

function stranger(name: string, allowed: readonly string[]): Issue[] {
  const message = single.get(name)
  return message === undefined ? unknownKeys([name], allowed) : [{ path: name, message }]
}

function optionOf(name: string, value: unknown): unknown {
  if (name === 'tags') return [value].flat().flatMap((text) => String(text).split(','))
  const isNumber = name === 'attempts' && /^\d+$/.test(String(value))
  return isNumber ? Number(value) : value
}

/**
 * The options of an enqueue in its query; `batch` leaves out those that name one task.
 * @throws RedisDistroError `bad_option` for what is no option or is malformed
 */
export function readEnqueueOptions(query: unknown, batch: boolean): Fields {
  const { tags, ...others } = { ...(query as Fields) }
  const allowed = batch ? optionNames.filter((name) => !single.has(name)) : optionNames
  const given: Fields = tags === undefined ? others : { ...others, tags }
  const strangers = Object.keys(given).filter((name) => !allowed.includes(name))
  const issues = [...strangers.flatMap((name) => stranger(name, allowed)), ...repeated(others)]
  if (issues.length > 0) throw wrong('bad_option', issues)
  const options = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, optionOf(name, value)]),
  )
  const checked = enqueueOptionsSchema.safeParse(options)
  if (!checked.success) throw wrong('bad_option', issuesOf(checked.error, allowed))
  return options
}
