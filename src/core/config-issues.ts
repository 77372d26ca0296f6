import type { z } from 'zod'
import { type Issue, RedisDistroError } from './errors.js'
import { isSecret, isSecretName, redact, redacted } from './secrets.js'
import { nearest } from './spelling.js'

type ZodIssue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

const secretPath = /^(redis\.url|http\.tokens|REDIS_URL)|(password|Password|\.key)$/

const dotted = (path: Path): string => path.map(String).join('.')

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, part)
  }
  return value
}

const withoutSecrets = (name: string, value: unknown): unknown => {
  if (isSecret(name, value)) return redacted
  return typeof value === 'string' ? redact(value) : value
}

/** A value as a message shows it: short, and never a secret. */
function shown(value: unknown, path: Path): string {
  if (secretPath.test(dotted(path)) || path.map(String).some(isSecretName)) return 'its value'
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(redact(value).slice(0, 60))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    const text = JSON.stringify(value, withoutSecrets)
    return text.length > 60 ? `${text.slice(0, 60)}…` : text
  } catch {
    return 'an object'
  }
}

/** The schemas that a wrapped or united one stands for. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
      return unwrap(def.innerType)
    case 'pipe':
      return [...unwrap(def.in), ...unwrap(def.out)]
    case 'union':
      return def.options.flatMap(unwrap)
    default:
      return [schema]
  }
}

function childrenOf(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'record') return [def.valueType]
  if (def.type === 'array') return [def.element]
  const child = def.type === 'object' ? def.shape[String(part)] : undefined
  return child ? [child] : []
}

/** The keys that an object of the schema may have at a path. */
function keysAt(root: z.core.$ZodType, path: Path): string[] {
  let schemas = unwrap(root)
  for (const part of path) schemas = schemas.flatMap((s) => childrenOf(s, part)).flatMap(unwrap)
  return schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod
    return def.type === 'object' ? Object.keys(def.shape) : []
  })
}

function unknownKey(path: Path, root: unknown, schema: z.core.$ZodType): Issue {
  const allowed = keysAt(schema, path.slice(0, -1))
  const meant = nearest(String(path.at(-1)), allowed)
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`
  const value = shown(valueAt(root, path), path)
  const message = `${value} is not known here; allowed: ${allowed.join(', ')}${hint}`
  return { path: dotted(path), message }
}

function explain(issue: ZodIssue, root: unknown, schema: z.core.$ZodType): Issue[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], root, schema))
  }
  if (issue.code === 'invalid_union') {
    // Where one branch was clearly meant, since it was entered, its own words help more.
    const meant = issue.errors.find((branch) =>
      branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    )
    if (meant) {
      const whole = meant.map((inner) => ({ ...inner, path: [...path, ...inner.path] }))
      return whole.flatMap((inner) => explain(inner, root, schema))
    }
  }
  const value = shown(valueAt(root, path), path)
  const said = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message
  // The rule's own words may repeat the value.
  const rule = redact(said.replace(/^Invalid (input|option): /, ''))
  if (rule.startsWith(value)) return [{ path: dotted(path), message: rule }]
  const message = /^(is|are) /.test(rule) ? `${value} ${rule}` : `${value} is refused: ${rule}`
  return [{ path: dotted(path), message }]
}

/** The error that lists everything that is wrong with an input, each with path, value and rule. */
export function badConfig(
  where: string,
  input: { readonly value: unknown; readonly schema: z.core.$ZodType },
  issues: readonly ZodIssue[],
): RedisDistroError {
  const all = issues.flatMap((issue) => explain(issue, input.value, input.schema))
  const lines = all.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`)
  return new RedisDistroError('bad_config', [`${where} cannot be used:`, ...lines].join('\n'), {
    issues: all,
  })
}
