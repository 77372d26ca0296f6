import { z } from 'zod'

export type JsonSchema = Readonly<Record<string, unknown>>

const pathTo = (name: string): string => `#/components/schemas/${name}`

/** A reference to a schema of the document, by its name. */
export const refTo = (name: string): JsonSchema => ({ $ref: pathTo(name) })

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>

/** What callers write, and not what zod makes of it: a Date is none, a number in a query is one. */
const asWritten: Override = ({ zodSchema, jsonSchema }) => {
  const { shownAs, ...shown } = jsonSchema
  if (typeof shownAs === 'object') {
    for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
    Object.assign(jsonSchema, shownAs, 'description' in shown && { description: shown.description })
  }
  const { def } = zodSchema._zod
  // What any JSON reader knows of a number or a time anyhow.
  if (Math.abs(jsonSchema.minimum ?? 0) === Number.MAX_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (def.type !== 'union' || jsonSchema.anyOf === undefined) return
  jsonSchema.anyOf = jsonSchema.anyOf.filter((one) => Object.keys(one).length > 0)
}

const settings = {
  io: 'input',
  unrepresentable: 'any',
  // Recursion is told by name; all else that is used twice is written out.
  reused: 'inline',
  override: asWritten,
} as const

const without = ({ $schema: _, $id: __, ...rest }: Record<string, unknown>): JsonSchema => rest

/** JSON Schemas of named zod schemas, which refer to each other by their names. */
export function namedSchemas(named: Readonly<Record<string, z.ZodType>>) {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { ...settings, uri: pathTo })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, without({ ...schema })]),
  )
}

/** JSON Schema of what callers write for a zod schema. */
export const schemaOf = (schema: z.ZodType): JsonSchema =>
  without({ ...z.toJSONSchema(schema, settings) })

/** One field of an object's schema, with whether it must be given. */
export interface Field {
  readonly name: string
  readonly schema: JsonSchema
  readonly required: boolean
}

/** The fields of an object as parameters have them. */
export function fieldsOf(schema: z.ZodObject): Field[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, settings)
  return Object.entries(properties).map(([name, field]) => ({
    name,
    schema: { ...(field as object) },
    required: required.includes(name),
  }))
}

const isRecord = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same with every reference led on by `lead`. */
function rereferred(value: unknown, lead: (ref: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => rereferred(one, lead))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? lead(inner) : rereferred(inner, lead),
    ]),
  )
}

/**
 * A schema that stood by itself, under a name in the document: what it defines within stands beside
 * it under names that begin with `prefix`, and its references lead there.
 */
export function adopted(
  { name, prefix }: { readonly name: string; readonly prefix: string },
  given: unknown,
): Record<string, JsonSchema> {
  if (!isRecord(given)) return { [name]: {} }
  const { $defs, ...own } = without({ ...given })
  const inner = (key: string) => `${prefix}.${key.replace(/[^A-Za-z0-9._-]/g, '_')}`
  const plain = (key: string) => decodeURI(key).replaceAll('~1', '/').replaceAll('~0', '~')
  const lead = (ref: string): string => {
    if (!ref.startsWith('#')) return ref
    const [, key, rest = ''] = /^#\/\$defs\/([^/]+)(.*)$/.exec(ref) ?? []
    return key === undefined
      ? `${pathTo(name)}${ref.slice(1)}`
      : `${pathTo(inner(plain(key)))}${rest}`
  }
  const all = [
    [name, own],
    ...Object.entries(isRecord($defs) ? $defs : {}).map(([key, schema]) => [inner(key), schema]),
  ]
  return Object.fromEntries(all.map(([key, schema]) => [key, rereferred(schema, lead)])) as Record<
    string,
    JsonSchema
  >
}
