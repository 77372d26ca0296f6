import { checkBy } from '../client/payload-schema.js'
import { keptRule, strangersIn } from '../client/schedule-check.js'
import { RedisDistroError } from '../core/errors.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { ParsedConfig } from './config-schema.js'
import type { ResolvedConfig } from './resolved-config.js'

/** The config's schedules as they are kept: JSON, and each with its zone. */
export function resolveSchedules({
  schedules,
  time,
}: Pick<ParsedConfig, 'schedules' | 'time'>): ReadonlyMap<string, ScheduleRule> {
  const rules = Object.entries(schedules)
  return new Map(rules.map(([id, rule]) => [id, keptRule(rule, time.tz)]))
}

/**
 * Checks each schedule by what the project knows: its task type, its queue, its payload's schema.
 * @throws RedisDistroError `bad_config` that lists all that is wrong
 */
export async function checkSchedules(
  { schedules, tasks, queues, defaultQueue }: ResolvedConfig,
  where: string,
): Promise<void> {
  const known = {
    type: async (name: string) => {
      const task = tasks.get(name)
      return task && { check: checkBy(task.definition.payload) }
    },
    typeNames: async () => [...tasks.keys()],
    queues: async () => [...queues.keys()].map((queue) => ({ queue })),
    realName: (queue: string) => (queue === 'default' ? defaultQueue : queue),
  }
  const found = [...schedules].map(async ([id, rule]) => {
    const issues = await strangersIn(rule, known)
    return issues.map(({ path, message }) => ({ path: `schedules.${id}.${path}`, message }))
  })
  const issues = (await Promise.all(found)).flat()
  if (issues.length === 0) return
  const lines = issues.map(({ path, message }) => `  ${path}: ${message}`)
  throw new RedisDistroError('bad_config', [`${where} cannot be used:`, ...lines].join('\n'), {
    issues,
  })
}
