import { RedisDistroError } from '../core/errors.js'
import type { KeyName } from './keys.js'
import { typesScript } from './query-scripts.js'
import type { ScheduleKey } from './schedules/keys.js'
import type { Script } from './script.js'
import type { ScriptRunner } from './script-store.js'

type Kind = 'hash' | 'zset' | 'set' | 'list' | 'string' | 'stream'

const kinds: Readonly<Partial<Record<string, Kind>>> = {
  waiting: 'zset',
  scheduled: 'zset',
  retryable: 'zset',
  completed: 'zset',
  dead: 'zset',
  cancelled: 'zset',
  workers: 'zset',
  ownUntil: 'zset',
  uniqueUntil: 'zset',
  expiring: 'zset',
  deadLetters: 'set',
  wake: 'list',
  listen: 'string',
  events: 'stream',
  names: 'zset',
  due: 'zset',
  pending: 'zset',
} satisfies Partial<Record<KeyName | ScheduleKey, Kind>>

/** True where Redis refused a command since its key is of another type. */
function isWrongType(error: unknown): error is RedisDistroError {
  if (!(error instanceof RedisDistroError) || !(error.cause instanceof Error)) return false
  return error.cause.message.includes('WRONGTYPE')
}

function wrongType(key: string, cause: unknown): RedisDistroError {
  const words = `the key ${key} is not of the type that is written there; something else wrote it`
  return new RedisDistroError(
    'internal',
    `${words}: RENAME it away, and what is left works again`,
    {
      cause,
    },
  )
}

/** The error of a script; where a key of it is of the wrong type, one that names the key. */
export async function explained(
  error: unknown,
  { store, script, keys }: { store: ScriptRunner; script: Script; keys: readonly string[] },
): Promise<unknown> {
  if (!isWrongType(error)) return error
  try {
    const types = (await store.run(typesScript, keys, [])) as string[]
    const wrong = script.keys.findIndex(
      (name, i) => types[i] !== 'none' && types[i] !== (kinds[name] ?? 'hash'),
    )
    const key = keys[wrong]
    return key === undefined ? error : wrongType(key, error)
  } catch {
    return error
  }
}

/** What is read of one key without a script; an error about its type names it. */
export async function readAt<Answer>(key: string, reading: Promise<Answer>): Promise<Answer> {
  try {
    return await reading
  } catch (error) {
    throw isWrongType(error) ? wrongType(key, error) : error
  }
}
