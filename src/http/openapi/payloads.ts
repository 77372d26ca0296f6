import { z } from 'zod'
import { beside } from '../../client/beside.js'
import type { TypeEntry } from '../../client/contract.js'
import { enqueueOptionsSchema } from '../../core/enqueue-options.js'
import { adopted, type JsonSchema, refTo, schemaOf } from './json-schema.js'

/** A task type as the document has it. */
export interface TypePart {
  readonly type: string
  /** Ends the names of its schemas: its type, where names of schemas allow that. */
  readonly key: string
}

const named = {
  payload: (key: string) => `payload.${key}`,
  body: (key: string) => `body.${key}`,
  element: (key: string) => `element.${key}`,
}

/** Each type with a key of its own: a colon, which types may have, is none of a schema's name. */
export function typeParts(entries: readonly TypeEntry[]): TypePart[] {
  const taken = new Set<string>()
  return entries.map(({ type }) => {
    let key = type.replaceAll(':', '_')
    while (taken.has(key)) key += '_'
    taken.add(key)
    return { type, key }
  })
}

const options = schemaOf(z.strictObject(enqueueOptionsSchema.shape))

/** The payload with the options that may lie beside its fields. */
function bodySchema({ schema, fields }: TypeEntry, key: string, own: JsonSchema): JsonSchema {
  const shape = options['properties'] as Readonly<Record<string, JsonSchema>>
  const open = beside.filter((name) => !fields.has(name))
  const { type, anyOf, allOf, oneOf } = schema as JsonSchema
  const plain = type === 'object' && !anyOf && !allOf && !oneOf
  if (!plain || open.length === 0) return refTo(named.payload(key))
  const added = Object.fromEntries(open.map((name) => [name, shape[name]]))
  return { ...own, properties: { ...(own['properties'] as object), ...added } }
}

/** The schemas of one type: its payload, the body that enqueues it, its element of a mixed batch. */
export function typeSchemas(entry: TypeEntry, { type, key }: TypePart): Record<string, JsonSchema> {
  const name = named.payload(key)
  const schemas = adopted({ name, prefix: `definition.${key}` }, entry.schema)
  const properties = {
    type: { const: type },
    payload: refTo(named.body(key)),
    options: refTo('EnqueueOptions'),
  }
  const required = ['type', 'payload']
  return {
    ...schemas,
    [named.body(key)]: bodySchema(entry, key, schemas[name] ?? {}),
    [named.element(key)]: { type: 'object', properties, required, additionalProperties: false },
  }
}

/** The schema of an enqueue's options, as an element of a mixed batch has them. */
export const optionSchemas: Record<string, JsonSchema> = { EnqueueOptions: options }

const json = (schema: JsonSchema) => ({ 'application/json': { schema } })

/** A batch as an array, and as NDJSON, whose lines no schema can speak of. */
function batchContent(items: JsonSchema, most: number) {
  const says = 'The same elements, one a line.'
  return {
    ...json({ type: 'array', items, minItems: 1, maxItems: most }),
    'application/x-ndjson': { schema: { type: 'string', description: says } },
  }
}

/** What the body of a route of one type, or of all, may be. */
export function enqueueContent(
  takes: 'payload' | 'batch',
  {
    part,
    parts,
    batchLimit,
  }: {
    readonly part: TypePart | undefined
    readonly parts: readonly TypePart[]
    readonly batchLimit: number
  },
) {
  if (part !== undefined) {
    const body = refTo(named.body(part.key))
    return takes === 'payload' ? json(body) : batchContent(body, batchLimit)
  }
  const oneOf = parts.map(({ key }) => refTo(named.element(key)))
  return batchContent(oneOf.length > 0 ? { oneOf } : { type: 'object' }, batchLimit)
}
