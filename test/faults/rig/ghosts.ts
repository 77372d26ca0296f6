import { Redis } from 'ioredis'

const states = ['waiting', 'scheduled', 'retryable', 'completed', 'dead', 'cancelled'] as const
/** Nothing may lie in these once every task has ended and every worker has left. */
const emptied = [
  'active',
  'workers',
  'details',
  'orders',
  'progress',
  'unique',
  'expiring',
] as const

async function stateSets(redis: Redis, key: (name: string) => string) {
  const sets = new Map<string, readonly string[]>()
  for (const state of states) sets.set(state, await redis.zrange(key(state), '0', '-1'))
  return sets
}

/**
 * What lies in the keys of a queue that should not, in words: tasks in no state or in several, records
 * of tasks that are none, and anything of workers that have left. For a queue at rest.
 */
export async function ghosts(url: string, prefix: string, queue = 'default'): Promise<string[]> {
  const redis = new Redis(url)
  const key = (name: string) => `${prefix}:{${queue}}:${name}`
  const amiss: string[] = []
  const say = (words: string, found: readonly string[]) => {
    if (found.length > 0) amiss.push(`${words}: ${found.slice(0, 5).join(', ')}`)
  }
  try {
    const sets = await stateSets(redis, key)
    const placed = [...sets.values()].flat()
    const known = new Set(await redis.hkeys(key('tasks')))
    const seen = new Set<string>()
    const several = placed.filter((id) => seen.has(id) || !seen.add(id))
    say('tasks in several states', several)
    say(
      'states without a task',
      [...seen].filter((id) => !known.has(id)),
    )
    say(
      'tasks in no state',
      [...known].filter((id) => !seen.has(id)),
    )
    const ended = new Set(sets.get('completed'))
    say(
      'results of what has not completed',
      (await redis.hkeys(key('results'))).filter((id) => !ended.has(id)),
    )
    say(
      'a past without a task',
      (await redis.hkeys(key('attempts'))).filter((id) => !known.has(id)),
    )
    for (const name of emptied) {
      const names =
        (await redis.type(key(name))) === 'zset'
          ? redis.zrange(key(name), '0', '-1')
          : redis.hkeys(key(name))
      say(`left in ${name}`, await names)
    }
    const marks = await redis.llen(key('wake'))
    if (marks > 1) amiss.push(`${marks} marks`)
    return amiss
  } finally {
    redis.disconnect()
  }
}
