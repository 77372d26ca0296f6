// Writes docs/configuration.md from the config's zod schema; `--check` only compares.
import { z } from 'zod'
import { built, isMain, writeOrCheck } from './generated.mjs'

/**
 * The part of a JSON Schema that is read here.
 * @typedef {object} Schema
 * @property {string | string[]} [type]
 * @property {string} [description]
 * @property {unknown} [default]
 * @property {unknown} [const]
 * @property {unknown[]} [enum]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {Schema[]} [anyOf]
 * @property {Schema} [items]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {Schema | false} [additionalProperties]
 */

/** @typedef {{ path: string, takes: string, holds: string, says: string }} Row */

/** What stands for the name in the tables of keys that hold one entry a name. */
const names = new Map([
  ['queues', '<name>'],
  ['tasks', '<type>'],
  ['schedules', '<id>'],
])

/** @param {unknown} value */
const code = (value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

/**
 * What a value may be, in words.
 * @param {Schema} schema
 * @returns {string}
 */
function takes(schema) {
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum) return schema.enum.map(code).join(', ')
  if (schema.anyOf) return [...new Set(schema.anyOf.map(takes))].join(' or ')
  // Only a duration is both; JSON Schema has no word for it.
  if (Array.isArray(schema.type)) return 'duration'
  if (schema.type === 'array') return schema.items?.type ? `list of ${takes(schema.items)}` : 'list'
  if (schema.type === 'integer' || schema.type === 'number') return takesNumber(schema)
  if (schema.type === 'string') return 'text'
  return schema.type ?? 'function'
}

/** @param {Schema} schema */
function takesNumber({ type, minimum, maximum }) {
  const noun = type === 'integer' ? 'whole number' : 'number'
  if (maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) {
    return minimum === undefined ? noun : `${noun} from ${minimum}`
  }
  return `${noun}, ${minimum} to ${maximum}`
}

/** @param {unknown} value */
const isEmpty = (value) => typeof value === 'object' && JSON.stringify(value).length === 2

/**
 * A value and all that lies below it.
 * @param {Schema} schema
 * @param {string} path
 * @param {boolean} required
 * @returns {Row[]}
 */
function rowsOf(schema, path, required) {
  const holds = required ? 'required' : isEmpty(schema.default) ? '–' : code(schema.default)
  const shown = schema.default === undefined && !required ? '–' : holds
  const own = { path, takes: takes(schema), holds: shown, says: schema.description ?? '' }
  const inner = [schema, ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])]
  const mark = schema.type === 'array' ? '[]' : ''
  const below = inner.flatMap((part) => fieldsOf(part, `${path}${mark}.`))
  // An object's own row says nothing that those of its parts do not, unless it may be left out.
  const bare = schema.type === 'object' && below.length > 0 && schema.default !== undefined
  return bare ? below : [own, ...below]
}

/**
 * The rows of an object's fields.
 * @param {Schema} schema
 * @param {string} prefix
 * @returns {Row[]}
 */
function fieldsOf({ properties = {}, required = [] }, prefix) {
  return Object.entries(properties).flatMap(([name, field]) =>
    rowsOf(field, `${prefix}${name}`, required.includes(name)),
  )
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|')

/** @param {Row[]} rows */
const table = (rows) =>
  [
    '| key | takes | default | holds |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ path, takes, holds, says }) =>
        `| \`${path}\` | ${cell(takes)} | ${holds} | ${cell(says)} |`,
    ),
  ].join('\n')

/**
 * One key of the config with everything below it.
 * @param {string} key
 * @param {Schema} schema
 */
function section(key, schema) {
  const name = names.get(key)
  const entry = schema.additionalProperties
  const alternatives = [schema, ...(schema.anyOf ?? [])]
  const rows =
    name !== undefined && entry
      ? fieldsOf(entry, `${key}.${name}.`)
      : alternatives.flatMap((part) => fieldsOf(part, `${key}.`))
  const shown = rows.length > 0 ? rows : rowsOf(schema, key, false)
  return `## ${key}\n\n${schema.description ?? ''}\n\n${table(shown)}\n`
}

/** @param {z.ZodType} schema @returns {Schema} */
const jsonOf = (schema) =>
  /** @type {Schema} */ (
    z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      // JSON has no word for it either.
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'Date' })
      },
    })
  )

/**
 * The page's text.
 * @param {{ config: z.ZodType, email: z.ZodType, enqueue: z.ZodType }} schemas
 */
export function renderConfig({ config, email, enqueue }) {
  const keys = Object.entries(jsonOf(config).properties ?? {})
  return `<!-- Written by scripts/config-docs.mjs from the zod schemas; do not edit. -->

# Configuration

Every key has a default, so that an empty config runs. A duration is text such as \`500ms\`, \`30s\`,
\`1h30m\`, or a number of milliseconds. A key that is not listed here is an error at boot that names
it and what is allowed.

What is said closest to a task holds: its enqueue, then \`tasks.<type>\`, the definition,
\`queues.<name>\`, \`defaults\`. A command-line flag beats the environment, and that beats the config.
\`redisdistro config print\` shows each value as it holds, and where it came from.

${keys.map(([key, schema]) => section(key, schema)).join('\n')}
## Options of an enqueue

In a program the last argument of \`enqueue()\`, at HTTP query parameters, on the command line flags.

${table(fieldsOf(jsonOf(enqueue), ''))}

## Options of the email plugin

What \`email({ … })\` takes.

${table(fieldsOf(jsonOf(email), ''))}
`
}

if (isMain(import.meta.url)) {
  const { configSchema } = await built('src/kernel/config-schema.js')
  const { enqueueOptionsSchema } = await built('src/core/enqueue-options.js')
  const { optionsSchema } = await built('plugins/email/options.js')
  const schemas = { config: configSchema, email: optionsSchema, enqueue: enqueueOptionsSchema }
  writeOrCheck('docs/configuration.md', renderConfig(schemas))
}
