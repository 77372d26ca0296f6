import { expect, onTestFinished, test } from 'vitest'
import { HttpServer } from '../../src/http/server.js'
import { exchange, readAnswer } from './raw.js'
import { createParts, httpOptions } from './stand-in.js'

async function answerTo(bytes: string) {
  const server = new HttpServer(httpOptions, createParts())
  const { port } = await server.start()
  onTestFinished(() => server.stop())
  return readAnswer(await exchange(port, bytes))
}

const host = 'Host: localhost\r\n'
const end = 'Connection: close\r\n\r\n'
const chunked = `POST /enqueue/email HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n`

test.each([
  ['no HTTP', 'HELLO\r\n\r\n', 400, 'not understood as HTTP'],
  ['no Host', `GET /health HTTP/1.1\r\n${end}`, 400, 'a Host header is wanted'],
  ['CONNECT', `CONNECT a:443 HTTP/1.1\r\n${host}\r\n`, 400, 'this is no proxy'],
  ['an expectation', `GET /health HTTP/1.1\r\n${host}Expect: x\r\n${end}`, 417, 'no expectation'],
  ['a method that is none', `BREW /health HTTP/1.1\r\n${host}${end}`, 400, 'not understood'],
  ['a method of others', `PROPFIND /health HTTP/1.1\r\n${host}${end}`, 404, 'no route PROPFIND'],
  ['two lengths', `${chunked}Content-Length: 3\r\n${end}`, 400, 'not understood'],
  [
    'long chunk extensions',
    `${chunked}Content-Type: application/json\r\n\r\n1;${'x'.repeat(20_000)}\r\n1\r\n0\r\n\r\n`,
    413,
    'extensions of a chunk',
  ],
])(
  '%s is answered with a problem and the headers of every answer',
  async (_, bytes, status, says) => {
    const { headers, body, ...answer } = await answerTo(bytes)
    expect(answer.status).toBe(status)
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    expect(JSON.parse(body)).toMatchObject({ status, detail: expect.stringContaining(says) })
  },
)

test('HTTP/1.0 needs no Host', async () => {
  expect((await answerTo(`GET /health HTTP/1.0\r\n${end}`)).status).toBe(200)
})
