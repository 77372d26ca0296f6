import { z } from 'zod'
import type { AnyTaskDefinition } from '../core/definition.js'
import type { Checked } from './contract.js'

type Check = (payload: unknown) => Checked | Promise<Checked>

const fine: Checked = { ok: true }

/** A format that was read from JSON Schema complains twice: by its name and by its pattern. */
function saidBefore(issue: z.core.$ZodIssue, before: readonly z.core.$ZodIssue[]): boolean {
  if (issue.code !== 'invalid_format' || issue.format !== 'regex') return false
  const path = issue.path.join('.')
  return before.some((each) => each.code === 'invalid_format' && each.path.join('.') === path)
}

function checkedBy(result: z.ZodSafeParseResult<unknown>): Checked {
  if (result.success) return fine
  const issues = result.error.issues
    .filter((issue, index, all) => !saidBefore(issue, all.slice(0, index)))
    .map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }))
  return { ok: false, issues }
}

/** A check by a zod schema: at once, unless the schema itself waits for something. */
export function checkBy(schema: z.ZodType): Check {
  let waits = false
  const later = async (payload: unknown) => checkedBy(await schema.safeParseAsync(payload))
  return (payload) => {
    if (waits) return later(payload)
    try {
      return checkedBy(schema.safeParse(payload))
    } catch (error) {
      if (!(error instanceof z.core.$ZodAsyncError)) throw error
      waits = true
      return later(payload)
    }
  }
}

const schemas = new WeakMap<z.ZodType, z.core.JSONSchema.BaseSchema>()

/** JSON Schema 2020-12 of a payload's input; what a schema coerces may be given as anything. */
export function jsonSchemaOf({ payload }: AnyTaskDefinition): z.core.JSONSchema.BaseSchema {
  const schema: z.ZodType = payload
  const before = schemas.get(schema)
  if (before !== undefined) return before
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (!('coerce' in zodSchema._zod.def) || zodSchema._zod.def.coerce !== true) return
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
    },
  })
  schemas.set(schema, made)
  return made
}

/** Names of the top-level fields that a schema declares. */
export function fieldsOf(schema: unknown): ReadonlySet<string> {
  const parsed = z.object({ properties: z.record(z.string(), z.unknown()) }).safeParse(schema)
  return new Set(parsed.success ? Object.keys(parsed.data.properties) : [])
}

/** A check by JSON Schema; one that cannot be read lets all pass, and the worker checks. */
export function checkByJsonSchema(schema: unknown): Check {
  let check: Check | undefined
  return (payload) => {
    check ??= readJsonSchema(schema)
    return check(payload)
  }
}

function readJsonSchema(schema: unknown): Check {
  try {
    // A registry of its own, or each reading would leave its names in zod's global one.
    return checkBy(
      z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema, { registry: z.registry() }),
    )
  } catch {
    return () => fine
  }
}
