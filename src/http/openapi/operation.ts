import type { z } from 'zod'
import type { Access } from '../auth.js'
import { openers } from '../auth.js'
import type { BodyKind } from '../route-config.js'
import { answers } from './answers.js'
import type { Description } from './describe.js'
import { type Field, fieldsOf, type JsonSchema, refTo, schemaOf } from './json-schema.js'
import { enqueueContent, type TypePart } from './payloads.js'
import { problemResponses } from './problems.js'

/** A route that says what it is; `url` as fastify has it, with `:name` for what is named in it. */
export interface DescribedRoute {
  readonly method: string
  readonly url: string
  readonly access: Access
  readonly takes: BodyKind
  readonly description: Description
}

/** What operations are written with. */
export interface Writing {
  readonly parts: readonly TypePart[]
  readonly batchLimit: number
}

const inPath: Readonly<Record<string, string>> = {
  id: 'The id of a task.',
  type: 'A task type.',
  name: 'The name of a queue.',
  key: 'A dead-letter key.',
}

const parameter = (place: string, { name, schema, required }: Field) => {
  const { description, ...bare } = schema
  const list = bare['type'] === 'array' && { style: 'form', explode: false }
  const says = description === undefined ? {} : { description }
  return { name, in: place, required: place === 'path' || required, ...says, ...list, schema: bare }
}

const textField = (name: string, description: string | undefined): Field => ({
  name,
  required: false,
  schema: { type: 'string', ...(description !== undefined && { description }) },
})

function parametersOf(url: string, { params, query, headers = {} }: Description): object[] {
  const known = params === undefined ? [] : fieldsOf(params)
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const path = names.map(
    (name) => known.find((field) => field.name === name) ?? textField(name, inPath[name]),
  )
  const sent = Object.entries(headers).map(([name, says]) => textField(name, says))
  return [
    ...path.map((field) => parameter('path', field)),
    ...(query === undefined ? [] : fieldsOf(query)).map((field) => parameter('query', field)),
    ...sent.map((field) => parameter('header', field)),
  ]
}

const bodyOf = (body: string | z.ZodType): JsonSchema =>
  typeof body === 'string' ? refTo(body) : schemaOf(body)

function responseOf(answer: Description['answers'][number]): object {
  if (typeof answer === 'string') {
    const says = answers[answer].description ?? 'Done.'
    return { description: says, content: { 'application/json': { schema: refTo(answer) } } }
  }
  if (!('says' in answer)) {
    return {
      description: answer.description ?? 'Done.',
      content: { 'application/json': { schema: schemaOf(answer) } },
    }
  }
  const { says, body, media = 'application/json', text, headers } = answer
  const sent = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ])
  return {
    description: says,
    ...(sent.length > 0 && { headers: Object.fromEntries(sent) }),
    ...(body !== undefined && {
      content: {
        [media]: { schema: bodyOf(body) },
        ...(text !== undefined && { [text]: { schema: { type: 'string' } } }),
      },
    }),
  }
}

function requestBody(route: DescribedRoute, part: TypePart | undefined, writing: Writing) {
  const { takes, description } = route
  const { body } = description
  if (body !== undefined) {
    const content = { 'application/json': { schema: schemaOf(body) } }
    return { required: takes !== 'filter', content }
  }
  if (takes !== 'payload' && takes !== 'batch') return undefined
  return { required: true, content: enqueueContent(takes, { ...writing, part }) }
}

const tokenNames = { api: 'API_TOKEN', enqueue: 'ENQUEUE_TOKEN', read: 'READ_TOKEN' } as const

/** Who may call it, for programs and in words. */
function securityOf(access: Access) {
  const roles = openers(access)
  const words =
    roles.length === 0
      ? 'No token is wanted.'
      : `Token: ${roles.map((role) => `\`${tokenNames[role]}\``).join(' or ')}, where the server has tokens.`
  return { security: roles.map((role) => ({ bearer: [role] })), words }
}

/** `POST /tasks/:id/cancel` is `post_tasks_id_cancel`. */
const operationId = (method: string, url: string): string =>
  `${method.toLowerCase()}${url.replace(/[^A-Za-z0-9]+/g, '_')}`.replace(/_$/, '')

/** One route as an operation of the document, `part` being the type where it is that type's own. */
export function operationOf(
  route: DescribedRoute,
  writing: Writing,
  part?: TypePart | undefined,
): Record<string, unknown> {
  const { method, access, takes, description } = route
  const url = part === undefined ? route.url : route.url.replace(':type', part.type)
  const { security, words } = securityOf(access)
  const { summary, tags, detail, query, problems: own = [] } = description
  const body = requestBody(route, part, writing)
  const succeeds = Object.entries(description.answers).map(
    ([status, answer]) => [status, responseOf(answer)] as const,
  )
  return {
    operationId: operationId(method, url),
    summary: part === undefined ? summary : `${summary}: ${part.type}`,
    description: detail === undefined ? words : `${detail}\n\n${words}`,
    tags,
    security,
    parameters: parametersOf(url, description),
    ...(body !== undefined && { requestBody: body }),
    responses: {
      ...problemResponses({ method, access, takes, hasQuery: query !== undefined, own }),
      ...Object.fromEntries(succeeds),
    },
  }
}
