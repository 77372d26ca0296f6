import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { jsonLosses } from '../client/exact-json.js'
import { type Issue, RedisDistroError } from '../core/errors.js'
import type { BodyKind } from './route-config.js'

type ParseJson = (text: string, request: FastifyRequest) => unknown

const kindOf = (request: FastifyRequest): BodyKind => request.routeOptions.config.takes ?? 'none'

const notJson = (where: string, why: string): RedisDistroError =>
  new RedisDistroError('bad_request', `${where} is not JSON: ${why}`)

const keysRefused = 'a key `__proto__` or `constructor.prototype` is not taken'

/** fastify's own parser, which refuses what poisons prototypes, with words that help a person. */
function createJsonParser(app: FastifyInstance): ParseJson {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (text, request) => {
    let parsed: unknown
    let failed = false
    void parse(request, text, (error: Error | null, value?: unknown) => {
      failed = error !== null
      parsed = value
    })
    if (!failed) return parsed
    JSON.parse(text)
    throw new SyntaxError(keysRefused)
  }
}

const charsets = /;\s*charset\s*=\s*"?([^\s;"]*)/gi

/** Refuses what is no plain UTF-8, which alone is read. */
function refuseEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const words = 'the body must be sent without Content-Encoding'
    throw new RedisDistroError('unsupported_media', words)
  }
  for (const [, charset = ''] of headers['content-type']?.matchAll(charsets) ?? []) {
    if (/^utf-?8$/i.test(charset)) continue
    throw new RedisDistroError('unsupported_media', 'the body must be UTF-8, and so its charset')
  }
}

function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new SyntaxError('it is not UTF-8')
  return body.toString('utf8')
}

/** Runs a parser, and says of what it fails on where it lies. */
function parseAt<Parsed>(where: string, parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    throw notJson(where, error instanceof Error ? error.message : String(error))
  }
}

const losses = new WeakMap<FastifyRequest, readonly Issue[]>()

/**
 * What a request's text says and its body does not keep, by path; of a batch one for each element.
 * Told by the route, which knows first whether there is such a type.
 */
export const lossesIn = (request: FastifyRequest): readonly Issue[] => losses.get(request) ?? []

function keepLosses(request: FastifyRequest, found: readonly Issue[]): void {
  if (found.length > 0) losses.set(request, found)
}

/** NDJSON as the array that it is; empty lines are no elements. */
function parseLines(text: string, parse: (line: string) => unknown) {
  const elements: unknown[] = []
  const lost: Issue[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const element = parseAt(`line ${index + 1}`, () => parse(line))
    const [loss] = jsonLosses(line, element)
    const at = elements.push(element) - 1
    if (loss) lost.push({ ...loss, path: loss.path === '' ? `${at}` : `${at}.${loss.path}` })
  }
  return { elements, lost }
}

const expected: Record<BodyKind, string> = {
  payload: 'application/json',
  batch: 'application/json, or NDJSON as application/x-ndjson',
  filter: 'application/json',
  none: 'no body',
}

const unsupported = (request: FastifyRequest): RedisDistroError =>
  new RedisDistroError('unsupported_media', `this route takes ${expected[kindOf(request)]}`)

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** JSON, NDJSON where a route takes a batch, and nothing else; no body is `undefined`. */
export function addBodyParsers(app: FastifyInstance): void {
  const parse = createJsonParser(app)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      refuseEncoding(request)
      if (body.length === 0) return undefined
      const text = parseAt('the body', () => textOf(body))
      const value = parseAt('the body', () => parse(text, request))
      keepLosses(request, jsonLosses(text, value))
      return value
    },
  )
  app.addContentTypeParser<Buffer>(
    ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      refuseEncoding(request)
      if (kindOf(request) !== 'batch') throw unsupported(request)
      const text = parseAt('the body', () => textOf(body))
      const { elements, lost } = parseLines(text, (line) => parse(line, request))
      keepLosses(request, lost)
      return elements
    },
  )
  app.addContentTypeParser('*', async (request: FastifyRequest) => {
    const bare = kindOf(request) === 'none' || kindOf(request) === 'filter'
    if (bare && !hasBody(request)) return undefined
    throw unsupported(request)
  })
}

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Refuses what would be ignored: a body where a route takes none, none where it takes one. */
export function checkBody(request: FastifyRequest): void {
  const kind = kindOf(request)
  const { body } = request
  if (kind === 'none' && body !== undefined && body !== null && !isEmptyObject(body)) {
    throw new RedisDistroError('bad_request', 'this route takes no body')
  }
  if ((kind === 'payload' || kind === 'batch') && body === undefined) {
    throw new RedisDistroError('bad_request', `a body is wanted: ${expected[kind]}`)
  }
}
