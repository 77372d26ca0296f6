import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** One event of a stream. */
export interface SentEvent {
  readonly event: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

function parse(block: string): { id?: string; event?: SentEvent } {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(': ') + 2)]),
  )
  const id = fields.get('id') ?? ''
  const event = fields.get('event')
  if (event === undefined) return { id }
  return { id, event: { event, id, data: JSON.parse(fields.get('data') ?? 'null') } }
}

/** A listener over HTTP, which leaves with the test. */
export async function listenTo(url: string, headers: Record<string, string> = {}) {
  const gone = new AbortController()
  const reply = await fetch(url, { headers, signal: gone.signal })
  onTestFinished(() => gone.abort())
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const blocks: string[] = []
  const block = async (): Promise<string | undefined> => {
    while (blocks.length === 0) {
      const part = await reader?.read()
      if (part === undefined || part.done) return undefined
      text += part.value
      const whole = text.split('\n\n')
      text = whole.pop() ?? ''
      blocks.push(...whole)
    }
    return blocks.shift()
  }
  return {
    status: reply.status,
    headers: reply.headers,
    leave: () => gone.abort(),
    async firstId(): Promise<string> {
      return parse((await block()) ?? '').id ?? ''
    },
    /** The next so many events. */
    async take(amount: number): Promise<SentEvent[]> {
      const events: SentEvent[] = []
      while (events.length < amount) {
        const next = await block()
        if (next === undefined) throw new Error(`the stream ended after ${events.length}`)
        const { event } = parse(next)
        if (event !== undefined) events.push(event)
      }
      return events
    },
    /** How the stream ends. */
    async end(): Promise<'ended' | 'cut'> {
      try {
        while ((await block()) !== undefined);
        return 'ended'
      } catch {
        return 'cut'
      }
    },
  }
}

/** A client that asks, and reads nothing. */
export async function rawConnection(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  return socket
}
