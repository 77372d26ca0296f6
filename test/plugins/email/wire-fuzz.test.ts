import type { AddressObject } from 'mailparser'
import { FatalError } from 'redisdistro'
import { expect, onTestFinished, test } from 'vitest'
import { fc, longRun, tried } from '../../support/fuzz.js'
import { hello, setUpWithServer } from './harness.js'
import type { ReceivedMail } from './smtp-sink.js'

/** What has turned one recipient or header into two elsewhere. */
const hostile = [
  ...['\r\n', '\n', '\r', '\r\n ', '\r\nBcc: eve@evil.test', '\nX-Own: 1', '\u0085', '\u2028'],
  ...['\r\n\r\n', '\r\n.\r\n', '\r\nRCPT TO:<eve@evil.test>\r\n', '\0', '\t', '\u000b', '\u007f'],
  ...[',', ';', ':', '<', '>', '"', '(', ')', '\\', '@', ' ', '%', '!', '=?', '?='],
  ...['=?utf-8?q?=0d=0aBcc:_eve=40evil.test?=', '=?utf-8?B?DQpCY2M6IGV2ZQ==?='],
  ...['a@b.example', ', eve@evil.test', '<eve@evil.test>', 'group: eve@evil.test;'],
  ...['\uff0c', '\uff1b', '\uff20', '\uff1c', '\u037e', '\ufe50', '\u201a', '\u3001'],
  ...['\u202e', '\u2066', '\u200b', '\ufeff', '\ud800', '\udc00', 'é', '日本', '🎉', 'ä@ü.example'],
  ...['../', '/', '..', 'file:///etc/passwd', 'http://127.0.0.1/', '%0d%0aBcc:', '\\r\\n', '--'],
]

const odd = fc.constantFrom(...hostile)
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9 .,'!?-]{0,12}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  { weight: 2, arbitrary: odd },
)
const text = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''))

const plain = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9+_']{0,8}$/),
    fc.constantFrom('example.com', 'b.test.co'),
  )
  .map(([name, domain]) => `${name}@${domain}`)
/** A plain address with something put in somewhere. */
const bent = fc.tuple(plain, fc.nat({ max: 12 }), text).map(([address, at, more]) => {
  const place = Math.min(at, address.length)
  return address.slice(0, place) + more + address.slice(place)
})
const address = fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: bent })
const addresses = fc.oneof(address, fc.array(address, { maxLength: 3 }))
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const payloads = fc.record({
  to: fc.oneof(address, fc.array(address, { minLength: 1, maxLength: 3 })),
  subject: text,
  body: text,
  html: maybe(text),
  from: maybe(
    fc.oneof(
      address,
      fc.tuple(text, address).map(([name, of]) => `${name} <${of}>`),
    ),
  ),
  cc: maybe(addresses),
  bcc: maybe(addresses),
  replyTo: maybe(addresses),
  attachments: maybe(
    fc.array(
      fc.record({
        filename: text,
        content: text,
        contentType: maybe(
          fc.oneof(
            fc.constantFrom('text/plain', 'application/pdf', 'text/csv; charset=utf-8'),
            text,
          ),
        ),
      }),
      { maxLength: 2 },
    ),
  ),
})

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value
/** Once each, and without the case of domains, which means nothing. */
const sorted = (values: Iterable<string>): string[] =>
  [
    ...new Set([...values].map((value) => value.replace(/@.*$/, (domain) => domain.toLowerCase()))),
  ].sort()
const addressesOf = (value: AddressObject | AddressObject[] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((each) =>
    (each?.value ?? []).flatMap(({ address, group }) =>
      group === undefined ? [address ?? ''] : ['a group'],
    ),
  )
/** Folding a long header may move its white space, and nothing else. */
const unfolded = (value: string | undefined): string => (value ?? '').replace(/\s+/g, ' ').trim()

const ours = new Set([
  ...['from', 'to', 'cc', 'reply-to', 'subject', 'message-id', 'date', 'mime-version'],
  // The last where one attachment is all that there is.
  ...['content-type', 'content-transfer-encoding', 'content-disposition'],
])

type Payload = typeof payloads extends fc.Arbitrary<infer Value> ? Value : never

function expectIntended({ from, to, mail, raw }: ReceivedMail, payload: Payload): void {
  const recipients = [...listOf(payload.to), ...listOf(payload.cc), ...listOf(payload.bcc)]
  expect(sorted(to)).toEqual(sorted(recipients))
  const sender = /<(.*)>$/.exec(payload.from ?? '')?.[1] ?? payload.from ?? 'app@example.org'
  expect(sorted([from])).toEqual(sorted([sender]))
  const names = mail.headerLines.map(({ key }) => key)
  expect(names.filter((name) => !ours.has(name))).toEqual([])
  expect(sorted(names)).toHaveLength(names.length)
  expect(sorted(addressesOf(mail.from))).toEqual(sorted([sender]))
  expect(sorted(addressesOf(mail.to))).toEqual(sorted(listOf(payload.to)))
  expect(sorted(addressesOf(mail.cc))).toEqual(sorted(listOf(payload.cc)))
  expect(sorted(addressesOf(mail.replyTo))).toEqual(sorted(listOf(payload.replyTo)))
  expect(unfolded(mail.subject)).toBe(unfolded(payload.subject))
  const head = raw.slice(0, raw.indexOf('\r\n\r\n'))
  expect(head).not.toMatch(/\0|(?<!\r)\n|\r(?!\n)/)
  const attachments = payload.attachments ?? []
  expect(mail.attachments.map(({ filename }) => unfolded(filename))).toEqual(
    attachments.map(({ filename }) => unfolded(filename)),
  )
}

test('whatever the fields hold, what arrives is what was meant, or nothing was sent', {
  timeout: longRun ? 600_000 : 60_000,
}, async () => {
  const { sink, send, parse } = await setUpWithServer()
  let sent = 0
  let refused = 0
  const property = fc.asyncProperty(payloads, async (payload) => {
    try {
      parse(payload)
    } catch {
      refused += 1
      return
    }
    try {
      await send(payload)
    } catch (error) {
      // The server knows some domains for none that the schema takes.
      expect(error).toBeInstanceOf(FatalError)
      refused += 1
      return
    }
    sent += 1
    const mail = sink.received.pop()
    expect(sink.received).toEqual([])
    if (mail === undefined) throw new Error('nothing arrived')
    expectIntended(mail, payload)
  })
  await fc.assert(property, tried(6000, 20_000))
  expect(sent).toBeGreaterThan(5)
  expect(refused).toBeGreaterThan(5)
})

test.each(hostile)('%j in a field is refused, or arrives in it alone', async (part) => {
  const { sink, send, parse } = await setUpWithServer()
  onTestFinished(() => expect(sink.connections()).toBeLessThanOrEqual(5))
  const name = `Ann ${part} Bell`
  const tries: Payload[] = [
    { ...hello, subject: `a${part}b` },
    { ...hello, to: `a${part}b@example.com` },
    { ...hello, to: `ann@exam${part}ple.com` },
    { ...hello, bcc: [`ann@example.com${part}`] },
    { ...hello, from: `${name} <ann@example.com>` },
    { ...hello, replyTo: `${part}ann@example.com` },
    {
      ...hello,
      attachments: [{ filename: `a${part}.txt`, content: part, contentType: undefined }],
    },
    { ...hello, attachments: [{ filename: 'a', content: 'x', contentType: `text/pl${part}ain` }] },
  ].map((payload) => ({
    html: undefined,
    from: undefined,
    cc: undefined,
    bcc: undefined,
    replyTo: undefined,
    attachments: undefined,
    ...payload,
  }))
  for (const payload of tries) {
    try {
      parse(payload)
    } catch {
      continue
    }
    await send(payload)
    const mail = sink.received.pop()
    if (mail === undefined) throw new Error('nothing arrived')
    expectIntended(mail, payload)
  }
})
