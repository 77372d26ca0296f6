import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface Answer {
  /** 0 where the connection ended without one. */
  readonly status: number
  /** By lower-case names; of a name that came twice the last one. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly whole: string
}

function unchunked(body: string): string {
  let [text, rest] = ['', body]
  for (;;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (!(size > 0)) return text
    text += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 4 + size)
  }
}

/** Reads the first answer of a text that is not merely `100 Continue`. */
export function readAnswer(whole: string): Answer {
  const text = whole.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
  const split = text.indexOf('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
  const lines = text.slice(0, split).split('\r\n').slice(1)
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const rest = text.slice(split + 4)
  const chunked = headers['transfer-encoding'] === 'chunked'
  const length = Number(headers['content-length'] ?? rest.length)
  const body = chunked ? unchunked(rest) : rest.slice(0, length)
  return { status, headers, body: Buffer.from(body, 'latin1').toString(), whole }
}

/** Sends bytes, one for each character, and gives all that comes until the server hangs up. */
export function exchange(port: number, sent: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(sent, 'latin1'))
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
    })
    // A server that refuses in the middle may reset what is still being sent.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
  })
}
