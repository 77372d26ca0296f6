import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { optionsSchema } from '../../../plugins/email/options.js'
import { payloadSchema } from '../../../plugins/email/payload.js'
import { hello } from './harness.js'

const defaults = optionsSchema.parse({})
const schema = payloadSchema(defaults)
const accepts = (payload: unknown) => schema.safeParse(payload).success
const issuesOf = (payload: unknown) =>
  schema.safeParse(payload).error?.issues.map(({ path, message }) => [path.join('.'), message]) ??
  []
const attached = (attachment: object) => ({ ...hello, attachments: [attachment] })
const file = { filename: 'a.txt', content: 'x' }

describe('a mail', () => {
  test('is taken with a body, with html, with both', () => {
    expect(accepts(hello)).toBe(true)
    expect(accepts({ ...hello, body: undefined, html: '<p>Hi</p>' })).toBe(true)
    expect(accepts({ ...hello, html: '<p>Hi</p>' })).toBe(true)
  })

  test('without body and html is refused, in words', () => {
    expect(issuesOf({ to: 'a@example.com', subject: 'x' })).toEqual([
      ['body', 'a mail needs body, html or both'],
    ])
  })

  test('needs someone to go to', () => {
    expect(accepts({ ...hello, to: [] })).toBe(false)
    expect(accepts({ ...hello, to: undefined, bcc: 'a@example.com' })).toBe(false)
  })

  test('keeps its fields as they were written', () => {
    const payload = {
      ...hello,
      to: ['a@example.com', "o'neil+tag@sub.example.co.uk"],
      from: 'Zoë B. <zoe@example.com>',
      attachments: [{ filename: 'Grüße 🎉.pdf', content: 'eA==', encoding: 'base64' }],
    }
    expect(schema.parse(payload)).toEqual(payload)
  })

  test('names the address that is wrong', () => {
    expect(issuesOf({ ...hello, to: ['a@example.com', 'nobody'] })).toEqual([
      ['to.1', 'must be one plain mail address such as a@example.com'],
    ])
    expect(issuesOf({ ...hello, to: 3 })).toEqual([
      ['to', 'must be one plain mail address or a list of at most 50'],
    ])
  })
})

describe('injection', () => {
  const hostile = [
    'a@example.com\r\nBcc: eve@evil.test',
    'a@example.com\n',
    'a@example.com, eve@evil.test',
    'a@example.com; eve@evil.test',
    'a@example.com eve@evil.test',
    'Ann <a@example.com>',
    '<a@example.com>',
    'friends: a@example.com, eve@evil.test;',
    '"a@example.com, eve"@evil.test',
    '"eve@evil.test x"@example.com',
    'a@example.com(eve@evil.test)',
    '=?utf-8?q?eve=40evil.test=2C?=@example.com',
    'a@example.com\u0000',
    'a@example.com\u2028',
    `${'a'.repeat(300)}@example.com`,
  ]
  test.each(['to', 'cc', 'bcc', 'replyTo'])('%s takes nothing but plain addresses', (field) => {
    for (const address of hostile) {
      expect(accepts({ ...hello, [field]: address }), address).toBe(false)
      expect(accepts({ ...hello, [field]: [address] }), address).toBe(false)
    }
    const prepared = { prepared: true, value: 'a@example.com\r\nBcc: eve@evil.test' }
    expect(accepts({ ...hello, [field]: prepared })).toBe(false)
    expect(accepts({ ...hello, [field]: [{ name: 'x', address: 'a@example.com' }] })).toBe(false)
  })

  test('from takes one address with or without a name, and no more', () => {
    const taken = ['a@example.com', 'Ann <a@example.com>', 'dev@localhost', 'Dev <dev@localhost>']
    for (const from of taken) expect(accepts({ ...hello, from }), from).toBe(true)
    const refused = [
      'Ann\r\nBcc: eve@evil.test <a@example.com>',
      'Ann <a@example.com>, Eve <eve@evil.test>',
      'Ann, Eve <a@example.com>',
      '"Ann" <a@example.com>',
      'group: <a@example.com>;',
      '=?utf-8?q?Ann=0d=0aBcc?= <a@example.com>',
      'Ann <a@example.com> <eve@evil.test>',
      'Ann <a@example.com',
      'Ann a@example.com',
      'Ann <>',
      '',
    ]
    for (const from of refused) expect(accepts({ ...hello, from }), from).toBe(false)
  })

  test('no control character in what becomes a header', () => {
    for (const bad of ['\r\nBcc: eve@evil.test', '\n', '\r', '\t', '\u0000', '\u007f', '\u0085']) {
      expect(accepts({ ...hello, subject: `Hi${bad}` }), JSON.stringify(bad)).toBe(false)
      expect(accepts(attached({ ...file, filename: `a${bad}.txt` }))).toBe(false)
      expect(accepts(attached({ ...file, contentType: `text/plain${bad}` }))).toBe(false)
    }
  })

  test('no mark of a direction or of a byte order, which nobody sees', () => {
    const marks = [0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff]
    for (const mark of marks) {
      const bad = String.fromCodePoint(mark)
      expect(accepts({ ...hello, subject: `Hi${bad}` }), mark.toString(16)).toBe(false)
      expect(accepts({ ...hello, from: `A${bad}nn <a@example.com>` })).toBe(false)
    }
    for (const good of ['שלום', 'مرحبا؛', 'नमस्\u200dते', '｡', '‐']) {
      expect(accepts({ ...hello, subject: good }), good).toBe(true)
    }
  })

  test('no field that the mail library would follow or obey', () => {
    const keys = ['path', 'href', 'raw', 'headers', 'envelope', 'text', 'alternatives', 'icalEvent']
    for (const key of [...keys, 'messageId', 'list', 'dkim', 'auth', 'sender', 'inReplyTo']) {
      expect(accepts({ ...hello, [key]: '/etc/passwd' }), key).toBe(false)
    }
    for (const key of ['path', 'href', 'raw', 'headers', 'cid', 'contentDisposition']) {
      expect(accepts(attached({ ...file, [key]: '/etc/passwd' })), key).toBe(false)
    }
    for (const content of [{ path: '/etc/passwd' }, { href: 'http://127.0.0.1/' }]) {
      expect(accepts({ ...hello, body: content })).toBe(false)
      expect(accepts({ ...hello, html: content })).toBe(false)
      expect(accepts(attached({ ...file, content }))).toBe(false)
    }
  })

  test('an attachment has a plain name, a plain type and whole base64', () => {
    for (const filename of ['../a', 'a/b', 'a\\b', '']) {
      expect(accepts(attached({ ...file, filename })), filename).toBe(false)
    }
    for (const contentType of ['text', 'multipart/mixed; boundary=x', 'Message/rfc822', 'a/b;"']) {
      expect(accepts(attached({ ...file, contentType })), contentType).toBe(false)
    }
    expect(accepts(attached({ ...file, contentType: 'text/csv; charset=utf-8' }))).toBe(true)
    for (const content of ['*', 'eA', 'eA==\n', 'eA==eA==']) {
      expect(accepts(attached({ ...file, content, encoding: 'base64' })), content).toBe(false)
    }
    expect(accepts(attached({ ...file, encoding: 'hex' }))).toBe(false)
  })
})

describe('bounds', () => {
  const addresses = (count: number) =>
    Array.from({ length: count }, (_, index) => `a${index}@example.com`)

  test('to, cc and bcc share one cap', () => {
    expect(accepts({ ...hello, to: addresses(50) })).toBe(true)
    expect(accepts({ ...hello, to: addresses(51) })).toBe(false)
    expect(accepts({ ...hello, to: addresses(20), cc: addresses(20), bcc: addresses(10) })).toBe(
      true,
    )
    expect(
      issuesOf({ ...hello, to: addresses(20), cc: addresses(20), bcc: addresses(11) }),
    ).toEqual([['to', 'to, cc and bcc hold at most 50 addresses together']])
  })

  test('attachments are bounded in number and in bytes, decoded', () => {
    const small = payloadSchema({ ...defaults, maxAttachments: 2, maxAttachmentBytes: 10 })
    const fits = (...contents: string[]) =>
      small.safeParse({
        ...hello,
        attachments: contents.map((content) => ({ filename: 'a', content })),
      }).success
    expect(fits('12345', '12345')).toBe(true)
    expect(fits('12345', '123456')).toBe(false)
    expect(fits('éééééé')).toBe(false)
    expect(fits('1', '2', '3')).toBe(false)
    const content = Buffer.alloc(10).toString('base64')
    const decoded = attached({ filename: 'a', content, encoding: 'base64' })
    expect(small.safeParse(decoded).success).toBe(true)
  })
})

test('its JSON Schema reads back as a schema that takes and refuses the same', () => {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  expect(json).toMatchObject({ additionalProperties: false, required: ['to', 'subject'] })
  const again = z.fromJSONSchema(json)
  expect(again.safeParse(hello).success).toBe(true)
  expect(again.safeParse({ ...hello, subject: 'Grüße 🎉' }).success).toBe(true)
  expect(again.safeParse({ ...hello, subject: 'Hi\r\nBcc: x' }).success).toBe(false)
  expect(again.safeParse({ ...hello, headers: {} }).success).toBe(false)
  expect(again.safeParse({ ...hello, to: 'a@example.com\n' }).success).toBe(false)
})
