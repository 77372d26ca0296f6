import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail as it came in: the envelope's words, the raw text and the parsed message. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly mail: ParsedMail
}

export interface SinkReplies {
  /** A reply such as `550 no such user` for an address; undefined accepts it. */
  onRecipient?(address: string): string | undefined
  /** A reply to the whole content; undefined accepts it. */
  onContent?(): string | undefined
  /** A reply to the greeting. */
  onConnect?(): string | undefined
  /** A reply to the login; without it no login is asked for. */
  onLogin?(): string | undefined
  /** Awaited before the content is answered. */
  beforeAnswer?(): Promise<void>
  /** Offers STARTTLS with a certificate: of these, or one that nobody signed. */
  readonly startTls?: boolean
  /** Speaks TLS from the first byte. */
  readonly secure?: boolean
  /** Its key and certificate, as PEM. */
  readonly identity?: { readonly key: string; readonly cert: string }
}

export interface SmtpSink {
  readonly url: string
  readonly port: number
  readonly received: ReceivedMail[]
  connections(): number
  stop(): Promise<void>
}

function toReply(words: string | undefined): Error | null {
  if (words === undefined) return null
  const [code = '', ...rest] = words.split(' ')
  return Object.assign(new Error(rest.join(' ')), { responseCode: Number(code) })
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Starts a real SMTP server on a free loopback port. */
export async function startSmtpSink(replies: SinkReplies = {}): Promise<SmtpSink> {
  const received: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: replies.onLogin === undefined,
    allowInsecureAuth: true,
    secure: replies.secure ?? false,
    ...replies.identity,
    disabledCommands: replies.startTls ? [] : ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect: (_session, callback) => callback(toReply(replies.onConnect?.())),
    onAuth: (_login, _session, callback) => {
      const refusal = toReply(replies.onLogin?.())
      if (refusal) callback(refusal)
      else callback(null, { user: 'someone' })
    },
    onRcptTo: ({ address }, _session, callback) =>
      callback(toReply(replies.onRecipient?.(address))),
    onData: (stream, session, callback) => {
      const take = async () => {
        const raw = await textOf(stream)
        await replies.beforeAnswer?.()
        const refusal = toReply(replies.onContent?.())
        if (refusal) return callback(refusal)
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
          mail: await simpleParser(raw),
        })
        callback(null)
      }
      take().catch((error: unknown) => callback(error as Error))
    },
  })
  // A client that goes away in the middle is what some tests are about.
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `${replies.secure ? 'smtps' : 'smtp'}://127.0.0.1:${port}`,
    port,
    received,
    connections: () => server.connections.size,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
