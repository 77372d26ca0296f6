import { createRequire } from 'node:module'
import type { TypeEntry } from '../../client/contract.js'
import { answers } from './answers.js'
import { tags } from './describe.js'
import { type JsonSchema, namedSchemas } from './json-schema.js'
import { type DescribedRoute, operationOf, type Writing } from './operation.js'
import { optionSchemas, type TypePart, typeParts, typeSchemas } from './payloads.js'

/** What the document is made of. */
export interface DocumentParts {
  readonly routes: readonly DescribedRoute[]
  readonly types: readonly TypeEntry[]
  /** Tasks of a batch at most. */
  readonly batchLimit: number
}

type Operation = Record<string, unknown>

/** An OpenAPI document. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Record<string, JsonSchema> } & Record<string, unknown>
  readonly [more: string]: unknown
}

const about = `Tasks are handed in at \`/enqueue\`, run by workers, and looked after below.
Errors are problem documents (RFC 9457) whose \`code\` says what happened.`

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description:
    '`api`: API_TOKEN, opens everything; `enqueue`: ENQUEUE_TOKEN; `read`: READ_TOKEN. A server without tokens answers to its own machine alone.',
}

function version(): string {
  const own: { readonly version: string } = createRequire(import.meta.url)(
    'redisdistro/package.json',
  )
  return own.version
}

const templated = (url: string): string => url.replace(/:(\w+)/g, '{$1}')

/** A path for each task type, where a route has the type in its own. */
function* pathsOf(routes: readonly DescribedRoute[], parts: readonly TypePart[]) {
  for (const route of routes) {
    const { url } = route
    if (!url.includes(':type')) yield { path: templated(url), route, part: undefined }
    else {
      for (const part of parts) {
        const path = templated(url.replace(':type', encodeURIComponent(part.type)))
        yield { path, route, part }
      }
    }
  }
}

function writePaths(routes: readonly DescribedRoute[], writing: Writing) {
  const paths: Record<string, Record<string, Operation>> = {}
  const ids = new Set<string>()
  for (const { path, route, part } of pathsOf(routes, writing.parts)) {
    const operation = operationOf(route, writing, part)
    let id = String(operation['operationId'])
    while (ids.has(id)) id += '_'
    ids.add(id)
    const method = route.method.toLowerCase()
    paths[path] = { ...paths[path], [method]: { ...operation, operationId: id } }
  }
  return paths
}

/** The API as it is, every task type's payload included, by OpenAPI 3.1. */
export function createDocument({ routes, types, batchLimit }: DocumentParts): OpenApiDocument {
  const parts = typeParts(types)
  const schemas = { ...namedSchemas(answers), ...optionSchemas }
  for (const [index, entry] of types.entries()) {
    Object.assign(schemas, typeSchemas(entry, parts[index] as TypePart))
  }
  return {
    openapi: '3.1.0',
    info: { title: 'RedisDistro', version: version(), description: about },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: writePaths(routes, { parts, batchLimit }),
    components: { schemas, securitySchemes: { bearer } },
  }
}
