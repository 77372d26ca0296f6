import { isRedisDistroError, RedisDistroError } from '../core/errors.js'

/** Levels that a payload may nest wherever it comes from; beyond it recursion would be a danger. */
export const deepest = 1000

/** Characters that a payload may have: names and texts, and two for each of them. */
const longest = 16 * 1024 * 1024

/** What is left of them for the payload that is being copied; nothing is waited for meanwhile. */
let left = longest

function spend(characters: number): void {
  left -= characters + 2
  if (left < 0) {
    const most = longest.toLocaleString('en')
    const message = `has more than ${most} characters; keep what is large elsewhere, and send where it is`
    const issues = [{ path: '', message }]
    throw new RedisDistroError('too_large', `the payload ${message}`, { issues })
  }
}

/** Keys from the payload down to the object that is being copied. */
type Trail = (string | number)[]

function refuse(trail: Trail, message: string): never {
  const path = trail.join('.')
  throw new RedisDistroError('bad_payload', path ? `${path}: ${message}` : message, {
    issues: [{ path, message }],
  })
}

/** What JSON would write as an empty object, whatever it holds. */
const emptied = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer, RegExp, Error] as const

/** Dates and other instances of classes: JSON itself says what becomes of them. */
function throughJson(value: object, trail: Trail): unknown {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    refuse(trail, `cannot be written as JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (text === undefined) return undefined
  spend(text.length)
  return JSON.parse(text)
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function copyArray(value: readonly unknown[], trail: Trail): unknown[] {
  const items: unknown[] = []
  spend(value.length)
  for (let index = 0; index < value.length; index++) {
    items.push(copyMember(value[index], index, trail) ?? null)
  }
  return items
}

function copyObject(value: object, trail: Trail): unknown {
  if (trail.length >= deepest) refuse([], `is nested deeper than ${deepest} levels`)
  if ('toJSON' in value && typeof value.toJSON === 'function') return throughJson(value, trail)
  if (Array.isArray(value)) return copyArray(value, trail)
  if (!isPlain(value)) {
    const kind = emptied.find((each) => value instanceof each)
    if (kind !== undefined) refuse(trail, `a ${kind.name} cannot be written as JSON`)
    return throughJson(value, trail)
  }
  const source = value as Record<string, unknown>
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(source)) {
    spend(key.length)
    const member = copyMember(source[key], key, trail)
    if (member === undefined) continue
    if (key !== '__proto__') copy[key] = member
    else Object.defineProperty(copy, key, { value: member, enumerable: true })
  }
  return copy
}

/** What one member becomes; undefined where JSON leaves it out. */
function copyMember(value: unknown, key: string | number, trail: Trail): unknown {
  switch (typeof value) {
    case 'string':
      spend(value.length)
      return value
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      return refuse([...trail, key], `${value} cannot be written as JSON`)
    case 'bigint':
    case 'function':
    case 'symbol':
      return refuse([...trail, key], `a ${typeof value} cannot be written as JSON`)
    case 'object': {
      if (value === null) return null
      trail.push(key)
      const copy = copyObject(value, trail)
      trail.pop()
      return copy
    }
    default:
      return undefined
  }
}

/**
 * A payload as its worker will get it: a copy by the rules of JSON. Taken before the first wait, so
 * that what the caller changes afterwards is not in it, and what is checked is what is stored.
 * @throws RedisDistroError `bad_payload` for what JSON cannot hold, or deeper than {@link deepest} levels;
 * `too_large` beyond {@link longest} characters
 */
export function jsonCopy(payload: unknown): unknown {
  left = longest
  if (typeof payload === 'object' && payload !== null) return copyObject(payload, [])
  try {
    return copyMember(payload, '', [])
  } catch (error) {
    // A payload that is no object has no path.
    if (!isRedisDistroError(error) || error.code !== 'bad_payload') throw error
    return refuse([], error.issues[0]?.message ?? error.message)
  }
}
