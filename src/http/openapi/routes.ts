import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { TypeEntry } from '../../client/contract.js'
import { RedisDistroError } from '../../core/errors.js'
import { accessOf } from '../guard.js'
import { noQuery, readNothing } from '../query.js'
import { describe } from './describe.js'
import type { OpenApiDocument } from './document.js'
import type { DescribedRoute } from './operation.js'

/** The routes that are added from here on, as far as they say what they are. */
export function noteRoutes(app: FastifyInstance): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    const { description, access, takes = 'none' } = config ?? {}
    if (description === undefined) return
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue
      routes.push({ method: one, url, access: accessOf(one, access), takes, description })
    }
  })
  return routes
}

export interface OpenApiParts {
  readonly routes: readonly DescribedRoute[]
  /** Every task type that can be enqueued here. */
  types(): Promise<readonly TypeEntry[]>
  readonly batchLimit: number
}

/** The document of an API. What writes it is loaded with the first call. */
export async function writeDocument({
  routes,
  types,
  batchLimit,
}: OpenApiParts): Promise<OpenApiDocument> {
  const { createDocument } = await import('./document.js')
  return createDocument({ routes, types: await types(), batchLimit })
}

const jsonRoute = describe({
  summary: 'This description',
  tags: ['service'],
  access: 'any',
  query: noQuery,
  answers: { 200: z.looseObject({ openapi: z.string() }).describe('OpenAPI 3.1.') },
})

const html = { says: 'A page of /openapi.json.', body: z.string(), media: 'text/html' }
const file = { says: 'A file of the page.', body: z.string(), media: '*/*' }

/** `/openapi.json`, written at its first asking, and `/docs`, its page. */
export function openApiRoutes(app: FastifyInstance, parts: OpenApiParts): void {
  let text: Promise<string> | undefined
  const write = async () => JSON.stringify(await writeDocument(parts))

  app.get('/openapi.json', jsonRoute, async (request, reply) => {
    readNothing(request.query)
    text ??= write().catch((error: unknown) => {
      // The next one asks anew.
      text = undefined
      throw error
    })
    return reply.type('application/json; charset=utf-8').send(await text)
  })

  const pageRoute = describe({
    summary: 'The page of this description',
    tags: ['service'],
    access: 'page',
    answers: { 200: html },
  })
  app.get('/docs', pageRoute, async (_, reply) => {
    const { page } = await import('./page.js')
    return reply.type(page.type).send(page.content)
  })

  const fileRoute = describe({
    summary: 'A file of the page',
    tags: ['service'],
    access: 'page',
    params: z.object({ file: z.string().describe('Its name.') }),
    answers: { 200: file },
    problems: ['unknown_route'],
  })
  app.get<{ Params: { file: string } }>('/docs/:file', fileRoute, async ({ params }, reply) => {
    const { pageFile } = await import('./page.js')
    const found = await pageFile(params.file)
    if (found === undefined)
      throw new RedisDistroError('unknown_route', 'the page has no such file')
    return reply.type(found.type).send(found.content)
  })
}
