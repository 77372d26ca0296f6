import { FatalError } from 'redisdistro'
import type { EmailOptionsInput } from 'redisdistro/plugins/email'
import email from 'redisdistro/plugins/email'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  authority,
  certificateOfAnother,
  serverCertificate,
  serverKey,
} from '../../support/certificates.js'
import { failureOf, hello, setUp } from './harness.js'
import { type SinkReplies, startSmtpSink } from './smtp-sink.js'

const identity = { key: serverKey, cert: serverCertificate }

async function server(replies: SinkReplies) {
  const sink = await startSmtpSink(replies)
  onTestFinished(() => sink.stop())
  return sink
}

async function sendBy(smtp: string, options: EmailOptionsInput = {}) {
  const { send } = await setUp({ smtp, ...options })
  return send(hello)
}

describe.each([
  ['TLS from the first byte', { secure: true }],
  ['STARTTLS', { startTls: true }],
])('by %s', (_, way) => {
  test('a certificate of an unknown authority is refused, and no mail is lost by it', async () => {
    const sink = await server({ ...way, identity })
    const error = await failureOf(sendBy(sink.url))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/certificate/i)
    expect(sink.received).toEqual([])
  })

  test('the authority that the options name is trusted', async () => {
    const sink = await server({ ...way, identity })
    await sendBy(sink.url, { tls: { ca: authority } })
    expect(sink.received).toHaveLength(1)
  })

  test('a certificate for another host is refused, but for the name that the options give', async () => {
    const sink = await server({ ...way, identity: { key: serverKey, cert: certificateOfAnother } })
    const error = await failureOf(sendBy(sink.url, { tls: { ca: authority } }))
    expect(error.message).toMatch(/altnames|certificate/i)
    expect(sink.received).toEqual([])
    await sendBy(sink.url, { tls: { ca: authority, servername: 'elsewhere.test' } })
    expect(sink.received).toHaveLength(1)
  })

  test('whoever says so trusts anyone', async () => {
    const sink = await server({ ...way, identity })
    await sendBy(sink.url, { tls: { rejectUnauthorized: false } })
    await sendBy(`${sink.url}?tls.rejectUnauthorized=false`)
    expect(sink.received).toHaveLength(2)
  })
})

describe('a server that offers no TLS', () => {
  test('gets no mail where it is required', async () => {
    const sink = await server({})
    for (const sending of [
      sendBy(sink.url, { requireTls: true }),
      sendBy(`${sink.url}?requireTLS=true`),
    ]) {
      const error = await failureOf(sending)
      expect(error).not.toBeInstanceOf(FatalError)
      expect(error.message).toMatch(/STARTTLS/)
    }
    expect(sink.received).toEqual([])
  })

  test('never hears a login on another host, unless that is asked for', async () => {
    const logins: string[] = []
    const sink = await server({
      onLogin: () => {
        logins.push('a login')
        return undefined
      },
    })
    // Leads to this machine, and is no address of it that the plugin knows.
    const away = `smtp://app:hunter2@0.0.0.0:${sink.port}`
    const named = async (options: EmailOptionsInput) =>
      sendBy(away, options).catch((error: Error) => error.message)
    expect(await named({})).toMatch(/STARTTLS/)
    expect(logins).toEqual([])
    await named({ requireTls: false })
    expect(logins).toEqual(['a login'])
  })

  test('may have a login on this machine', async () => {
    const sink = await server({ onLogin: () => undefined })
    await sendBy(`smtp://app:hunter2@127.0.0.1:${sink.port}`)
    expect(sink.received).toHaveLength(1)
  })
})

test('an authority that is no certificate is refused at once', () => {
  expect(() => email({ tls: { ca: '/etc/ssl/ca.pem' } })).toThrow(/tls\.ca: must be PEM/)
})
