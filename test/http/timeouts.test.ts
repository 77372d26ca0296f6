import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { HttpServer } from '../../src/http/server.js'
import { createParts, httpOptions } from './stand-in.js'

/** What a server answers to these first bytes of a request until it ends the connection. */
async function answerTo(bytes: string): Promise<string> {
  const server = new HttpServer({ ...httpOptions, requestTimeout: 200 }, createParts())
  const { host, port } = await server.start()
  onTestFinished(() => server.stop())
  const socket = connect(port, host)
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  socket.write(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

const head = 'POST /enqueue/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

test.each([
  ['whose head', head],
  ['whose body', `${head}Content-Length: 100\r\n\r\n{`],
])('a request %s does not come within the timeout is 408', async (_, bytes) => {
  const answer = await answerTo(bytes)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(answer).toContain('"detail":"not received within 200ms"')
})
