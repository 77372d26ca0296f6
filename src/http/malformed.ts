import type { Duplex } from 'node:stream'
import { formatDuration } from '../core/duration.js'
import type { ErrorCode } from '../core/errors.js'
import { safetyLines } from './headers.js'

/** What a refusal says of the limits that were passed: times in ms, sizes in bytes. */
export interface WireLimits {
  readonly requestTimeout: number
  readonly headerLimit: number
}

type Malformed = Error & { code?: string }

interface Refusal {
  /** Status and its words. */
  readonly line: string
  readonly detail: string
  readonly code: ErrorCode
}

/** What is said of that which node could not make a request of. */
function refusalOf({ code }: Malformed, limits: WireLimits): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': {
      const within = formatDuration(limits.requestTimeout)
      const detail = `not received within ${within} (http.requestTimeout)`
      return { line: '408 Request Timeout', detail, code: 'bad_request' }
    }
    case 'HPE_HEADER_OVERFLOW': {
      const most = `${limits.headerLimit} bytes (http.headerLimit)`
      const detail = `the address and the headers are longer than ${most}`
      return { line: '431 Request Header Fields Too Large', detail, code: 'bad_request' }
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW': {
      const detail = 'the extensions of a chunk are longer than 16384 bytes'
      return { line: '413 Payload Too Large', detail, code: 'too_large' }
    }
    default:
      return { line: '400 Bad Request', detail: 'not understood as HTTP', code: 'bad_request' }
  }
}

/** An answer in full, for where there is no reply to send it with; the connection ends with it. */
export function rawProblem({ line, detail, code }: Refusal): string {
  const [status, title] = [Number(line.slice(0, 3)), line.slice(4)]
  const body = JSON.stringify({ status, title, detail, code })
  const length = Buffer.byteLength(body)
  const head = `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n`
  return `${head}Content-Length: ${length}\r\n${safetyLines}\r\n${body}`
}

/** Answers with a problem what never became a request, since node has no reply to send it with. */
export function refuseMalformed(error: Malformed, socket: Duplex, limits: WireLimits): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) socket.write(rawProblem(refusalOf(error, limits)))
  socket.destroy(error)
}
