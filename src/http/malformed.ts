import type { Socket } from 'node:net'
import { formatDuration } from '../core/duration.js'

type Malformed = Error & { code?: string }

/** The status line and the words for what node could not make a request of. */
function wordsOf({ code }: Malformed, requestTimeout: number): readonly [string, string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', `not received within ${formatDuration(requestTimeout)}`]
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'the address and the headers are too long']
    default:
      return ['400 Bad Request', 'not understood as HTTP']
  }
}

/**
 * Answers with a problem what never became a request, since node has no reply to send it with.
 * `requestTimeout` in ms.
 */
export function refuseMalformed(error: Malformed, socket: Socket, requestTimeout: number): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [line, detail] = wordsOf(error, requestTimeout)
  const [status, title] = [Number(line.slice(0, 3)), line.slice(4)]
  const body = JSON.stringify({ status, title, detail, code: 'bad_request' })
  const head = `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Type: application/problem+json`
  if (socket.writable) socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  socket.destroy(error)
}
