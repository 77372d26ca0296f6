import email from 'redisdistro/plugins/email'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type AnyTaskDefinition, defineTask } from '../../../src/core/definition.js'
import type { HttpOptions } from '../../../src/http/server.js'
import { anything, startRealApi } from '../real-api.js'

const type = (name: string, payload: z.ZodType): AnyTaskDefinition =>
  defineTask({ type: name, payload, handle: () => undefined })

const tree = z.object({
  label: z.string(),
  get children() {
    return z.array(tree).optional()
  },
})

/** The email plugin's type, as a kernel would have it. */
const emailTasks = email({ from: 'noreply@example.com' }).tasks

/** Types whose payloads are of every kind that a document must cope with. */
const types: readonly AnyTaskDefinition[] = [
  ...emailTasks,
  anything,
  type('tree', tree),
  type('reminder', z.strictObject({ runAt: z.string(), text: z.string().default('now') })),
  type('a:b', z.number()),
  type('a_b', z.union([z.object({ one: z.string() }), z.object({ two: z.string() })])),
]

/** What a test looks at in an OpenAPI document. */
export interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, Schema> }
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly security: readonly Record<string, readonly string[]>[]
  readonly parameters: readonly { name: string; in: string; schema: Schema }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> }
  readonly responses: Record<
    string,
    { headers?: Record<string, unknown>; content?: Record<string, { readonly schema: Schema }> }
  >
}

export type Schema = Readonly<Record<string, unknown>>

/** A real API of those types, with the document that it gives out. */
export async function describedApi(http: Partial<HttpOptions> = {}) {
  const api = await startRealApi({ http, tasks: types })
  onTestFinished(() => api.stop())
  const [token] = http.tokens?.api ?? []
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${api.url}/openapi.json`, { headers })
  const document = (await answer.json()) as Document
  return { ...api, document }
}
