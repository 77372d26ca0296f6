import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchange, readAnswer } from './raw.js'
import { anything, startRealApi } from './real-api.js'

let api: Awaited<ReturnType<typeof startRealApi>>

beforeAll(async () => {
  const http = {
    bodyLimit: 20_000,
    batchLimit: 3,
    headerLimit: 2048,
    payload: { maxDepth: 5, maxValues: 50 },
  }
  api = await startRealApi({ http, tasks: [anything] })
})

afterAll(() => api.stop())

/** The status and the detail of what is wrong with one enqueue. */
async function refusal(path: string, body: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(api.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const { detail } = (await reply.json()) as { detail?: string }
  return `${reply.status} ${detail}`
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
const long = (length: number) => 'x'.repeat(length)
const option = (name: string, value: unknown) =>
  refusal('/enqueue', [{ type: 'any', payload: 1, options: { [name]: value } }])

test('a header that says two things is refused', async () => {
  const hosts = [
    'GET /queues HTTP/1.1',
    `Host: 127.0.0.1:${api.port}`,
    'Host: evil.example',
    'Connection: close',
  ]
  const answer = readAnswer(await exchange(api.port, `${hosts.join('\r\n')}\r\n\r\n`))
  expect([answer.status, JSON.parse(answer.body).detail]).toEqual([
    400,
    'one Host header is wanted',
  ])
  const sent = [
    'POST /enqueue/any HTTP/1.1',
    `Host: 127.0.0.1:${api.port}`,
    'Content-Type: application/json',
    'Content-Length: 2',
    'Idempotency-Key: a',
    'Idempotency-Key: b',
    'Connection: close',
  ]
  const doubled = readAnswer(await exchange(api.port, `${sent.join('\r\n')}\r\n\r\n{}`))
  expect([doubled.status, JSON.parse(doubled.body).code]).toEqual([422, 'bad_option'])
})

describe('what is over a limit is told the limit', () => {
  test.each<[string, () => Promise<string>, RegExp]>([
    [
      'a body',
      () => refusal('/enqueue/any', long(20_001)),
      /^413 .*20000 bytes \(http.bodyLimit\)/,
    ],
    ['a batch', () => refusal('/enqueue/any/batch', [1, 2, 3, 4]), /^422 .*most 3 .*batchLimit/],
    ['depth', () => refusal('/enqueue/any', nested(6)), /^422 .*than 5 levels .*payload.maxDepth/],
    [
      'values',
      () => refusal('/enqueue/any', Array(60).fill(0)),
      /^422 .*than 50 values .*maxValues/,
    ],
    [
      'an id',
      () => refusal(`/enqueue/any?taskId=${long(129)}`, 1),
      /^422 .*1 to 128 of A-Z a-z 0-9/,
    ],
    ['a queue', () => refusal(`/enqueue/any?queue=${long(129)}`, 1), /^422 .*1 to 128 of A-Z a-z/],
    [
      'a time',
      () => refusal(`/enqueue/any?runAt=${long(101)}`, 1),
      /^422 .*at most 100 characters/,
    ],
    ['a zone', () => refusal(`/enqueue/any?tz=${long(65)}`, 1), /^422 .*at most 64 characters/],
    ['a tag', () => refusal(`/enqueue/any?tags=${long(65)}`, 1), /^422 .*at most 64 characters/],
    ['tags', () => option('tags', Array(17).fill('t')), /^422 .*at most 16/],
    ['attempts', () => refusal('/enqueue/any?attempts=1001', 1), /^422 .*from 1 to 1000/],
    ['a unique key', () => option('uniqueKey', long(256)), /^422 .*at most 255 characters/],
    [
      'an Idempotency-Key',
      () => refusal('/enqueue/any', 1, { 'idempotency-key': long(256) }),
      /^422 .*at most 255 characters/,
    ],
    [
      'a name in the path',
      () => refusal(`/enqueue/${long(513)}`, 1),
      /^404 a name in the path is longer than 512 characters/,
    ],
  ])('%s', async (_name, ask, says) => {
    const before = await api.written()
    expect(await ask()).toMatch(says)
    expect(await api.written()).toBe(before)
  })

  test('headers and address', async () => {
    for (const head of [
      `GET /health?${long(3000)} HTTP/1.1\r\n`,
      `GET /health HTTP/1.1\r\nx: ${long(3000)}\r\n`,
    ]) {
      const answer = readAnswer(await exchange(api.port, `${head}host: localhost\r\n\r\n`))
      expect(answer.status).toBe(431)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect(JSON.parse(answer.body).detail).toContain('2048 bytes (http.headerLimit)')
    }
  })

  test('a list', async () => {
    const reply = await fetch(`${api.url}/tasks?limit=1001`)
    expect(await reply.json()).toMatchObject({
      status: 422,
      detail: expect.stringContaining('1 to 1000'),
    })
  })
})

test.each(['uniqueKey', 'idempotencyKey', 'runAt', 'tz', 'tags'])(
  'half a character in %s is refused, since no key of Redis could hold it',
  async (name) => {
    const value = 'a\ud800'
    expect(await option(name, name === 'tags' ? [value] : value)).toMatch(/^422 .*surrogate/)
  },
)
