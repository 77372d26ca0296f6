import { RedisDistroError } from '../core/errors.js'

/**
 * The format of what this build writes into Redis. A change that a build before it would misread, or
 * mend away, makes it one more; a field or a key that older builds leave alone does not.
 */
export const format = 1

/** hash `needs` → the least format that a build must know to work here. */
export const formatKey = (prefix: string): string => `${prefix}:format`

/** The commands of a connection that the check needs. */
export interface FormatHash {
  hgetall(key: string): Promise<Record<string, string>>
  hset(key: string, fields: Record<string, string>): Promise<unknown>
  hsetnx(key: string, field: string, value: string): Promise<number>
}

interface Judging {
  readonly prefix: string
  readonly says: string
  /** True where nothing can be written: the connection would be made anew, again and again. */
  readonly replica?: boolean
}

/**
 * Says at each connection which format lies there, and returns the error where a newer build has
 * written what this one would misread. Where it cannot be written (a replica, a full Redis) nothing
 * is said: what goes on then is told by the calls that follow.
 * @throws whatever the connection does where it cannot be read
 */
export async function judgeFormat(
  redis: FormatHash,
  { prefix, says, replica = false }: Judging,
): Promise<RedisDistroError | undefined> {
  const key = formatKey(prefix)
  const needs =
    (await redis.hgetall(key))['needs'] ?? (replica ? undefined : await writeFirst(redis, key))
  const needed = Number(needs ?? format)
  if (needed > format) {
    const words =
      `${says} holds tasks of a newer RedisDistro under '${prefix}': format ${needed}, and this ` +
      `one knows ${format}. Update it, or take another redis.prefix`
    return new RedisDistroError('unsafe_redis', words)
  }
  if (needed < format && !replica)
    await redis.hset(key, { needs: String(format) }).catch(() => undefined)
  return undefined
}

/** Writes the format where there is none; where another build was faster, what that one wrote. */
async function writeFirst(redis: FormatHash, key: string): Promise<string | undefined> {
  const written = await redis.hsetnx(key, 'needs', String(format)).catch(() => 1)
  return written === 1 ? undefined : (await redis.hgetall(key))['needs']
}
