import { join } from 'node:path'
import type { PluginHost } from 'redisdistro'
import type { EmailOptionsInput } from 'redisdistro/plugins/email'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import email from '../../../plugins/email/index.js'
import { parseSmtpUrl } from '../../../plugins/email/smtp-url.js'
import { hello, keepLog, setUp } from './harness.js'
import { startSmtpSink } from './smtp-sink.js'

beforeEach(() => {
  vi.stubEnv('SMTP_URL', '')
  vi.stubEnv('MAIL_FROM', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('where mails go', () => {
  test('without a server they go to the outbox, and setup says so and how to change it', async () => {
    const { directory, lines } = await setUp({ smtp: '' })
    expect(lines).toEqual([
      {
        level: 'info',
        message: expect.stringMatching(/SMTP_URL is not set.*outbox.*SMTP_URL=smtp:\/\//),
        fields: { directory: join(directory, 'outbox') },
      },
    ])
  })

  test('in production a missing server stops the boot and says what to set', async () => {
    await expect(setUp({}, { production: true })).rejects.toThrow(/SMTP_URL.*SMTP_URL=outbox/s)
  })

  test('in production the outbox may be asked for by name', async () => {
    vi.stubEnv('SMTP_URL', 'outbox')
    const { send } = await setUp({}, { production: true })
    expect(await send(hello)).toHaveProperty('file')
    const byOption = await setUp({ smtp: 'outbox' }, { production: true })
    expect(byOption.lines[0]?.message).toContain('as asked for')
  })

  test('SMTP_URL serves where the option is empty', async () => {
    const sink = await startSmtpSink()
    vi.stubEnv('SMTP_URL', sink.url)
    const { send, close } = await setUp({ smtp: '' }, { production: true })
    await send(hello)
    expect(sink.received).toHaveLength(1)
    await close()
    await sink.stop()
  })

  test('the option beats SMTP_URL', async () => {
    vi.stubEnv('SMTP_URL', 'smtp://127.0.0.1:1')
    const { send } = await setUp({ smtp: 'outbox' })
    expect(await send(hello)).toHaveProperty('file')
  })

  test('a URL of another kind stops the boot and keeps the password to itself', async () => {
    for (const smtp of ['http://app:hunter2@example.com', 'smtp://', 'example.com:hunter2', 'x']) {
      const error = await setUp({ smtp }).catch((caught: Error) => caught)
      expect(error, smtp).toBeInstanceOf(Error)
      expect(String(error)).toMatch(/option 'smtp'.*smtp:\/\//)
      expect(String(error)).not.toContain('hunter2')
    }
  })

  test('the URL may tune the connection but not open files, URLs or hidden repeats', () => {
    const query = 'pool=false&disableFileAccess=false&disableUrlAccess=false&maxRequeues=9'
    const url = parseSmtpUrl(`smtps://a:b@mail.example.com?${query}&socketTimeout=9000`)
    expect(url?.href).toBe('smtps://a:b@mail.example.com?socketTimeout=9000')
  })

  test('the log of setup has the server and no secret', async () => {
    const { lines } = await setUp({ smtp: 'smtps://app:hunter2@mail.example.com:465?x=hunter2' })
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields).toMatchObject({ host: 'mail.example.com', port: '465' })
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })
})

describe('whom mails are from', () => {
  test('the option, then MAIL_FROM, then a stand-in', async () => {
    const messageIds: string[] = []
    const sendWith = async (options: EmailOptionsInput) => {
      const { send } = await setUp(options)
      messageIds.push((await send(hello)).messageId)
    }
    await sendWith({})
    vi.stubEnv('MAIL_FROM', 'Env <env@env.example>')
    await sendWith({ from: '' })
    await sendWith({ from: 'App <app@option.example>' })
    expect(messageIds).toEqual([
      '<task-1@localhost>',
      '<task-1@env.example>',
      '<task-1@option.example>',
    ])
  })

  test('a MAIL_FROM that is no address stops the boot', async () => {
    vi.stubEnv('MAIL_FROM', 'nobody')
    await expect(setUp()).rejects.toThrow(/MAIL_FROM must be an address/)
  })
})

describe('options', () => {
  test('a bad one is refused with its path at once', () => {
    expect(() => email({ from: 'nobody' })).toThrow(/'email'.*from: must be an address/)
    expect(() => email({ maxRecipients: 0 })).toThrow(/maxRecipients/)
    expect(() => email(JSON.parse('{ "form": "a@example.com" }'))).toThrow(/form/)
  })

  test('bounds of the options are the schema’s', async () => {
    const { parse } = await setUp({ maxRecipients: 1 })
    expect(() => parse({ ...hello, cc: 'b@example.com' })).toThrow(/at most 1/)
  })
})

test('one plugin value serves two kernels until the second has closed it', async () => {
  const sink = await startSmtpSink()
  const plugin = email({ smtp: sink.url })
  const { log } = keepLog()
  const kernel = { log, directory: '/nowhere', env: { production: false } } as PluginHost
  await plugin.setup?.(kernel)
  await plugin.setup?.(kernel)
  const [definition] = plugin.tasks
  const send = async () =>
    definition.handle(definition.payload.parse(hello), {
      task: {
        id: 'shared',
        type: 'email',
        queue: 'default',
        attempt: 1,
        maxAttempts: 1,
        enqueuedAt: new Date(),
        fence: 1,
      },
      signal: new AbortController().signal,
      log,
      progress: async () => {},
    })
  await plugin.close?.()
  await send()
  await plugin.close?.()
  await expect(send()).rejects.toThrow('not set up')
  expect(sink.received).toHaveLength(1)
  await sink.stop()
})
