import { createHash } from 'node:crypto'
import type { KeyName } from './keys.js'
import type { ScheduleKey } from './schedules/keys.js'

/** A named piece of Lua, composed into scripts; never sent alone. */
export interface Fragment {
  readonly name: string
  readonly lua: string
}

/** A script as it is sent: its keys and arguments are named once, here. */
export interface Script<Arg extends string = string, Key extends string = string> {
  readonly name: string
  readonly keys: readonly Key[]
  readonly args: readonly Arg[]
  /** Plain text, and the one for servers that know script flags; each with its SHA1. */
  readonly plain: Source
  readonly flagged: Source
}

export interface Source {
  readonly text: string
  readonly sha: string
}

/** Makes a fragment; the tag is for editors. */
export const fragment = (name: string, lua: string): Fragment => ({ name, lua })

const source = (text: string): Source => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
})

/**
 * Lets an unflagged script run on a full Redis, which refuses only the first write of a script, and
 * only a command that may take memory. No key has a TTL, so that this one does nothing else.
 */
const writesWhenFull = "redis.call('PERSIST', KEYS[1])"

/**
 * Composes a script. Names of keys and arguments become Lua locals; `rest` is the index in ARGV of
 * the last named one. Every script but those that take new tasks runs on a full Redis, since what
 * frees memory must; one that only reads says so, and runs where Redis takes no writes.
 */
export function defineScript<
  const Arg extends string,
  const Key extends KeyName | ScheduleKey,
>(parts: {
  name: string
  keys: readonly Key[]
  args: readonly Arg[]
  body: readonly Fragment[]
  refusedWhenFull?: boolean
  /** Writes nothing. */
  reads?: boolean
}): Script<Arg, Key> {
  const { name, keys, args, body, reads, refusedWhenFull } = parts
  const lines = [
    `local ${keys.join(', ')} = ${keys.map((_, i) => `KEYS[${i + 1}]`).join(', ')}`,
    ...(args.length > 0
      ? [`local ${args.join(', ')} = ${args.map((_, i) => `ARGV[${i + 1}]`).join(', ')}`]
      : []),
    `local rest = ${args.length}`,
    ...body.map((piece) => piece.lua.trim()),
  ]
  const text = `${lines.join('\n')}\n`
  const flags = reads ? ' flags=no-writes' : refusedWhenFull ? '' : ' flags=allow-oom'
  return {
    name,
    keys,
    args,
    plain: source(reads || refusedWhenFull ? text : `${writesWhenFull}\n${text}`),
    flagged: source(`#!lua${flags}\n${text}`),
  }
}
