import { FatalError } from 'redisdistro'
import { describe, expect, onTestFinished, test } from 'vitest'
import { toMessage } from '../../../plugins/email/message.js'
import { failureOf, hello, setUp, setUpWithServer } from './harness.js'
import { startSmtpSink } from './smtp-sink.js'

describe('what arrives', () => {
  test('a plain mail comes from the configured sender with its words', async () => {
    const { sink, send } = await setUpWithServer()
    const result = await send({ ...hello, body: 'Good morning, Zoë.' })
    expect(result).toMatchObject({
      messageId: '<task-1@example.org>',
      accepted: ['ann@example.com'],
      rejected: [],
      response: expect.stringMatching(/^250 /),
    })
    const [{ from, to, mail } = expect.fail('nothing arrived')] = sink.received
    expect({ from, to }).toEqual({ from: 'app@example.org', to: ['ann@example.com'] })
    expect(mail.from?.value).toEqual([{ name: 'App', address: 'app@example.org' }])
    expect(mail.subject).toBe('Hello')
    expect(mail.text?.trim()).toBe('Good morning, Zoë.')
    expect(mail.html).toBe(false)
    expect(mail.messageId).toBe('<task-1@example.org>')
  })

  test('text and html travel as two forms of one mail', async () => {
    const { sink, send } = await setUpWithServer()
    await send({ ...hello, html: '<p>Good <b>morning</b>.</p>' })
    expect(sink.received[0]?.mail.text?.trim()).toBe('Good morning.')
    expect(sink.received[0]?.mail.html).toContain('<b>morning</b>')
    expect(sink.received[0]?.raw).toContain('multipart/alternative')
  })

  test('lists of recipients each get it, and nobody sees bcc', async () => {
    const { sink, send } = await setUpWithServer()
    const result = await send({
      ...hello,
      from: 'Sales <sales@example.net>',
      to: ['ann@example.com', 'bob@example.com'],
      cc: 'cid@example.com',
      bcc: ['dee@example.com'],
      replyTo: 'help@example.org',
    })
    const everyone = ['ann@example.com', 'bob@example.com', 'cid@example.com', 'dee@example.com']
    const [{ from, to, mail, raw } = expect.fail('nothing arrived')] = sink.received
    expect([...to].sort()).toEqual(everyone)
    expect([...result.accepted].sort()).toEqual(everyone)
    expect(from).toBe('sales@example.net')
    expect(mail.cc).toMatchObject({ text: 'cid@example.com' })
    expect(mail.replyTo?.text).toBe('help@example.org')
    expect(raw).not.toContain('dee@example.com')
  })

  test('attachments arrive byte for byte, by text and by base64', async () => {
    const { sink, send } = await setUpWithServer()
    const bytes = Buffer.from([0, 255, 1, 254, 13, 10, 46, 13, 10])
    await send({
      ...hello,
      attachments: [
        { filename: 'notes.txt', content: 'Grüße, file:///etc/passwd' },
        {
          filename: 'raw.bin',
          content: bytes.toString('base64'),
          encoding: 'base64',
          contentType: 'application/x-thing',
        },
      ],
    })
    const [text, binary] = sink.received[0]?.mail.attachments ?? []
    expect(text).toMatchObject({ filename: 'notes.txt', contentType: 'text/plain' })
    expect(text?.content.toString()).toBe('Grüße, file:///etc/passwd')
    expect(binary).toMatchObject({ filename: 'raw.bin', contentType: 'application/x-thing' })
    expect(binary?.content.equals(bytes)).toBe(true)
  })

  test('a second attempt of one task has the first one’s Message-ID', async () => {
    let refusals = 1
    const { sink, send } = await setUpWithServer({
      onContent: () => (refusals-- > 0 ? '451 4.3.0 try again later' : undefined),
    })
    await failureOf(send(hello, { taskId: 'order:7', attempt: 1 }))
    const { messageId } = await send(hello, { taskId: 'order:7', attempt: 2 })
    await send(hello, { taskId: 'order:7', attempt: 3 })
    expect(messageId).toBe('<order%3a7@example.org>')
    expect(sink.received.map(({ mail }) => mail.messageId)).toEqual([messageId, messageId])
  })

  test('many mails share the pool’s connections', async () => {
    const { sink, send } = await setUpWithServer()
    const ids = Array.from({ length: 20 }, (_, index) => `task-${index}`)
    let most = 0
    await Promise.all(
      ids.map(async (taskId) => {
        await send(hello, { taskId })
        most = Math.max(most, sink.connections())
      }),
    )
    expect(sink.received).toHaveLength(20)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(5)
  })
})

describe('what the server refuses', () => {
  test('a 5xx to the recipient is fatal, in the server’s words', async () => {
    const { send } = await setUpWithServer({ onRecipient: () => '550 5.1.1 no such mailbox here' })
    const error = await failureOf(send(hello))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toContain('550 5.1.1 no such mailbox here')
  })

  test('a 5xx to the content is fatal', async () => {
    const { send } = await setUpWithServer({ onContent: () => '554 5.7.1 looks like spam' })
    const error = await failureOf(send(hello))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toContain('554 5.7.1 looks like spam')
  })

  test('a 4xx is left to the retry policy, in the server’s words', async () => {
    const { send } = await setUpWithServer({ onRecipient: () => '450 4.2.0 greylisted, come back' })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toContain('450 4.2.0 greylisted, come back')
  })

  test('one deferred recipient among refused ones is enough to try again', async () => {
    const { send } = await setUpWithServer({
      onRecipient: (to) => (to.startsWith('ann') ? '450 4.2.0 later' : '550 5.1.1 never'),
    })
    const error = await failureOf(send({ ...hello, to: ['ann@example.com', 'bob@example.com'] }))
    expect(error).not.toBeInstanceOf(FatalError)
  })

  test('a refused login does not bury the mail', async () => {
    const sink = await startSmtpSink({ onLogin: () => '535 5.7.8 wrong password' })
    onTestFinished(() => sink.stop())
    const { send } = await setUp({ smtp: `smtp://app:hunter2@127.0.0.1:${sink.port}` })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toContain('535 5.7.8 wrong password')
    expect(error.message).not.toContain('hunter2')
  })

  test('a missing login does not bury the mail', async () => {
    const { send } = await setUpWithServer({ onLogin: () => undefined })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toContain('530')
  })

  test('a 5xx to the greeting does not bury the mail', async () => {
    const { send } = await setUpWithServer({ onConnect: () => '554 your address is blocked' })
    const error = await failureOf(send(hello))
    expect(error).not.toBeInstanceOf(FatalError)
    expect(error.message).toContain('your address is blocked')
  })
})

test('a message never lets the mail library read files or URLs', () => {
  const message = toMessage({ ...hello }, { name: '', address: 'app@example.org' }, 'task-1')
  expect(message).toMatchObject({ disableFileAccess: true, disableUrlAccess: true })
  expect(message).not.toHaveProperty('envelope')
})
