import { afterAll, beforeAll, expect, test } from 'vitest'
import { fc } from '../support/fuzz.js'
import { type Answer, exchange, readAnswer } from './raw.js'
import { anything, startRealApi } from './real-api.js'
import { type Route, withRoutes } from './routes.js'

const long = process.env['REDISDISTRO_FAULTS'] === 'long'
const token = 'fuzz-token-0123456789'

let api: Awaited<ReturnType<typeof startRealApi>>
let routes: readonly Route[] = []

beforeAll(async () => {
  const tokens = { api: [token], enqueue: [], read: [] }
  const http = { tokens, requestTimeout: 300, bodyLimit: 64 * 1024, headerLimit: 4096 }
  const started = await withRoutes(() => startRealApi({ http, tasks: [anything] }))
  api = started.made
  routes = started.routes
  expect(routes.length).toBeGreaterThan(20)
})

afterAll(() => api.stop())

const encoded = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'))
})

const weird = fc.oneof(
  encoded,
  fc.constantFrom('..', '.', '%00', '%0d%0a', '%zz', '%', '%c3', '__proto__', 'constructor'),
  fc.constantFrom('toString', 'a'.repeat(129), 'a'.repeat(600), '%F0%9F%98%80', '*', ';', '%2f'),
)

const param = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('any', 'any', 'any', 'default', 'dead', 'batch') },
  { weight: 1, arbitrary: weird },
)

const names = fc.oneof(
  fc.constantFrom('runAt', 'delay', 'tz', 'taskId', 'idempotencyKey', 'queue', 'priority'),
  fc.constantFrom('attempts', 'timeout', 'expiresIn', 'uniqueKey', 'uniqueFor', 'tags', 'wait'),
  fc.constantFrom('state', 'type', 'tag', 'cursor', 'limit', 'error', '__proto__', 'a[b]', 'token'),
)

const values = fc.oneof(
  weird,
  fc.constantFrom('1', '0', '-1', '1e999', '5m', '1ms', 'tomorrow+8am', 'high', 'waiting', 'UTC'),
  fc.constantFrom('default', 'any', '', 'a,b', 'WyJkZWZhdWx0Iiwid2FpdGluZyIsbnVsbCwwXQ', '1000'),
)

const query = fc.oneof(
  { weight: 9, arbitrary: fc.constant('') },
  {
    weight: 4,
    arbitrary: fc
      .array(fc.tuple(names, values), { minLength: 1, maxLength: 4 })
      .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
  },
  { weight: 1, arbitrary: weird.map((text) => `?${text}`) },
)

const jsonText = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.object({ maxDepth: 3 }).map((value) => JSON.stringify(value) ?? 'null'),
  fc.constantFrom(
    '{}',
    '{"a":1}',
    '{"a":1,"a":2}',
    '{"__proto__":{}}',
    '{"constructor":{"prototype":1}}',
  ),
  fc.constantFrom('9007199254740993', '[1e400]', '-0', '"\\ud800"', '"\\u0000"', '"\u0000"', ''),
  fc.constantFrom('{"runAt":"soon"}', '{"runAt":1e300,"tz":3}', '{"toString":1,"then":2}', 'null'),
  fc.constantFrom('['.repeat(10_000) + ']'.repeat(10_000), `"${'x'.repeat(70_000)}"`),
)

const option = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('\ud800', '\u0000', 'x'.repeat(300), '5m', 1e300, -1, [], ['\udc00']),
)

const element = fc.record(
  {
    type: fc.oneof(fc.constantFrom('any', 'none', '__proto__'), fc.anything()),
    payload: fc.jsonValue(),
    options: fc.dictionary(names, option, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
)

/** UTF-8 with a character for each byte, as all is sent here. */
const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((all) => Buffer.from(all).toString('latin1'))

const body = fc.oneof(
  jsonText.map(bytesOf),
  fc.array(jsonText, { maxLength: 4 }).map((all) => bytesOf(`[${all.join(',')}]`)),
  fc.array(jsonText, { maxLength: 4 }).map((all) => bytesOf(all.join('\n'))),
  fc
    .array(element, { maxLength: 3 })
    .map((all) => bytesOf(JSON.stringify(all, (_, one) => (typeof one === 'bigint' ? 1 : one)))),
  bytes(60),
  fc.constant(bytesOf('')),
)

const type = fc.constantFrom(
  ...Array<string>(12).fill('application/json'),
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/x-ndjson',
  'application/ndjson; charset="UTF-8"',
  'text/plain',
  'multipart/form-data; boundary=x',
  'rubbish; ; =',
  '',
)

const visible = fc.string({
  unit: fc.integer({ min: 33, max: 126 }).map((n) => String.fromCharCode(n)),
})

const header: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(
    fc.constantFrom('idempotency-key', 'traceparent', 'accept', 'origin', 'cookie'),
    visible,
  ),
  fc.tuple(fc.constantFrom('x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'range'), visible),
  fc.constantFrom<[string, string][]>(
    ['expect', '100-continue'],
    ['expect', 'the impossible'],
    ['content-encoding', 'gzip'],
    ['accept', 'application/json'],
    ['upgrade', 'websocket'],
    ['x', 'y'.repeat(5000)],
    ['idempotency-key', 'k'.repeat(300)],
    ['access-control-request-method', 'POST'],
  ),
)

const credentials = fc.oneof(
  { weight: 20, arbitrary: fc.constant(`authorization: Bearer ${token}\r\n`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'authorization: Bearer no\r\n') },
)

const method = fc.oneof(
  { weight: 20, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'),
  },
  { weight: 1, arbitrary: fc.constantFrom('CONNECT', 'PROPFIND', 'QUERY', 'BREW', 'get') },
)

const pathOf = (url: string, parts: readonly string[]) => {
  let at = 0
  return url.replace(/:[a-z]+/g, () => parts[at++ % parts.length] ?? '')
}

/** A request to one of the app's routes, whichever it has, sound and broken in all of its parts. */
const request = fc
  .record({
    route: fc.oneof(
      fc.nat(),
      fc.constantFrom('/enqueue', '/enqueue/:type', '/enqueue/:type/batch'),
    ),
    method,
    parts: fc.array(param, { minLength: 1, maxLength: 2 }),
    slash: fc.constantFrom(...Array<string>(20).fill(''), '/', '//'),
    query,
    credentials,
    type,
    headers: fc.oneof(fc.constant<[string, string][]>([]), fc.array(header, { maxLength: 2 })),
    body,
    length: fc.oneof(
      { weight: 50, arbitrary: fc.constantFrom('right', 'right', 'chunked') },
      { weight: 1, arbitrary: fc.constantFrom('long', 'none') },
    ),
  })
  .map((made) => {
    const { route: which } = made
    const route = (
      typeof which === 'string'
        ? routes.find(({ url }) => url === which)
        : routes[which % routes.length]
    ) as Route
    const target = `${pathOf(route.url, made.parts)}${made.slash}${made.query}`
    const verb = made.method ?? route.method
    const lines = made.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const content = made.type === '' ? '' : `content-type: ${made.type}\r\n`
    const size = made.body.length
    const framing = {
      right: size > 0 || verb === 'POST' ? `content-length: ${size}\r\n` : '',
      chunked: 'transfer-encoding: chunked\r\n',
      long: `content-length: ${size + 5}\r\n`,
      none: '',
    }[made.length]
    const sent =
      made.length === 'chunked' ? `${size.toString(16)}\r\n${made.body}\r\n0\r\n\r\n` : made.body
    const start = `${verb} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n`
    const head = `${start}${made.credentials}${content}${framing}${lines}\r\n`
    return { verb, bytes: head + sent }
  })

const secrets = [token, 'node_modules', process.cwd(), '.ts:', '.js:', '    at ']

/** What every answer must be, whatever was sent. */
function judge(verb: string, answer: Answer): void {
  const { status, headers, body: text, whole } = answer
  expect(status, whole).toBeGreaterThanOrEqual(200)
  expect(status, whole).not.toBe(500)
  for (const secret of secrets) expect(whole).not.toContain(secret)
  expect(headers['content-security-policy'], whole).toContain("default-src 'none'")
  expect(headers['x-content-type-options']).toBe('nosniff')
  if (status === 503 || status === 429) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  if (status < 400) return
  expect(headers['content-type'], whole).toMatch(/^application\/problem\+json/)
  if (verb === 'HEAD') return
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ status })
  for (const part of ['title', 'detail', 'code']) {
    expect(problem[part], whole).toEqual(expect.stringMatching(/./))
  }
}

async function lives(): Promise<void> {
  const health = await fetch(`${api.url}/health`)
  expect(health.status).toBe(200)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const made = await fetch(`${api.url}/enqueue/any`, { method: 'POST', headers, body: '{"a":1}' })
  expect(made.status).toBe(202)
}

test('whatever is asked of any route is answered, never by a 500, and nothing is written on a refusal', async () => {
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(request, async ({ verb, bytes }) => {
      const before = await api.written()
      const answer = readAnswer(await exchange(api.port, bytes))
      judge(verb, answer)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      if (answer.status >= 400) expect(await api.written()).toBe(before)
    }),
    { numRuns: long ? 20_000 : 600, interruptAfterTimeLimit: long ? 240_000 : 6000 },
  )
  await lives()
  // It would prove little if all were refused alike.
  for (const status of [200, 202, 404, 422]) expect([...seen.keys()]).toContain(status)
}, 300_000)

/** A request of which some bytes were lost, changed or added. */
const mutilated = fc
  .record({
    whole: request,
    changes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), bytes(4)), {
      minLength: 1,
      maxLength: 4,
    }),
    lost: fc.nat({ max: 3 }),
  })
  .map(({ whole, changes, lost }) => {
    let text = whole.bytes
    for (const [place, put] of changes) {
      const at = Math.floor(place * Math.min(text.length, 400))
      text = text.slice(0, at) + put + text.slice(at + lost)
    }
    return text
  })

test('bytes that are hardly HTTP are refused in words too', async () => {
  const rubbish = bytes(200).map((text) => `${text}.`)
  const batch = fc.array(fc.oneof({ weight: 4, arbitrary: mutilated }, rubbish), {
    minLength: 20,
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(batch, async (all) => {
      const answers = await Promise.all(all.map((sent) => exchange(api.port, sent)))
      for (const [index, whole] of answers.entries()) {
        judge(all[index]?.includes('HEAD ') ? 'HEAD' : 'GET', readAnswer(whole))
      }
    }),
    { numRuns: long ? 400 : 8, interruptAfterTimeLimit: long ? 240_000 : 6000, endOnFailure: true },
  )
  await lives()
}, 300_000)
