import { type Issue, RedisDistroError } from '../core/errors.js'
import {
  type ParsedSchedule,
  type ScheduleRule,
  scheduleIdSchema,
  scheduleSchema,
  type Wanted,
} from '../core/schedule.js'
import type { DirectoryEntry, KnownQueue } from './contract.js'
import { jsonCopy } from './json-copy.js'
import { errorOf } from './problem.js'

const allowed = Object.keys(scheduleSchema.shape)

/** Reads a rule by the schema. @throws RedisDistroError `bad_option` that lists all that is wrong */
export function readRule(id: string, given: unknown): ParsedSchedule {
  const named = scheduleIdSchema.safeParse(id)
  if (!named.success) {
    const message = named.error.issues[0]?.message ?? 'is no id'
    throw errorOf([{ code: 'bad_option', issues: [{ path: 'id', message }] }])
  }
  const parsed = scheduleSchema.safeParse(given)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.flatMap((issue): Issue[] => {
    const path = issue.path.map(String)
    if (issue.code !== 'unrecognized_keys')
      return [{ path: path.join('.'), message: issue.message }]
    const there = path.length === 0 ? `; there are ${allowed.join(', ')}` : ''
    return issue.keys.map((key) => ({
      path: [...path, key].join('.'),
      message: `is not known${there}`,
    }))
  })
  throw errorOf([{ code: 'bad_option', issues }])
}

/** A rule as it is kept: its payload as JSON holds it, and the zone that it has where it names none. */
export function keptRule(parsed: ParsedSchedule, tz: string): ScheduleRule {
  const { payload = {}, ...rest } = parsed
  return { ...(jsonCopy({ ...rest, payload }) as ParsedSchedule), tz: parsed.tz ?? tz }
}

/** What a project knows, as far as a rule hangs on it. */
export interface Known {
  type(name: string): Promise<Pick<DirectoryEntry, 'check'> | undefined>
  typeNames(): Promise<readonly string[]>
  queues(): Promise<readonly Pick<KnownQueue, 'queue'>[]>
  realName(queue: string): string
}

/** What of a rule the project does not know: its task type, its queue, or what its payload may be. */
export async function strangersIn(rule: Wanted, known: Known): Promise<Issue[]> {
  const issues: Issue[] = []
  const entry = await known.type(rule.task)
  if (entry === undefined) {
    const names = (await known.typeNames()).join(', ') || 'none'
    issues.push({ path: 'task', message: `no task type '${rule.task}'; there are ${names}` })
  }
  const queue = rule.options?.queue
  if (queue !== undefined) {
    const names = (await known.queues()).map((each) => each.queue)
    if (!names.includes(known.realName(queue))) {
      const message = `no queue '${queue}'; there are ${names.join(', ')}`
      issues.push({ path: 'options.queue', message })
    }
  }
  const checked = await entry?.check(rule.payload)
  if (checked === undefined || checked.ok) return issues
  const under = (path: string) => (path === '' ? 'payload' : `payload.${path}`)
  return [...issues, ...checked.issues.map(({ path, message }) => ({ path: under(path), message }))]
}

export const unknownSchedule = (id: string): RedisDistroError =>
  new RedisDistroError('unknown_schedule', `no schedule '${id.slice(0, 128)}' exists`)
