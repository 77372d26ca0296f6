import { createServer } from 'node:net'
import email, { type EmailOptionsInput } from 'redisdistro/plugins/email'
import { expect, onTestFinished, test } from 'vitest'
import { choosePort } from '../../../src/broker/embedded/redis-process.js'
import { keepLog } from './harness.js'
import { type SinkReplies, startSmtpSink } from './smtp-sink.js'

/** What the plugin finds of the way out that these options give. */
async function check(options: EmailOptionsInput, signal = new AbortController().signal) {
  const { log } = keepLog()
  const host = { log, directory: '/nowhere', env: { production: true }, signal }
  return await email(options).check?.(host)
}

async function sinkOf(replies: SinkReplies) {
  const sink = await startSmtpSink(replies)
  onTestFinished(() => sink.stop())
  return sink
}

test('a server that answers and takes the login is fine, and no mail is sent', async () => {
  const sink = await sinkOf({ onLogin: () => undefined })
  const smtp = sink.url.replace('//', '//user:secret@')
  const words = await check({ smtp, from: 'a@example.com' })
  expect(words).toBe(
    `the SMTP server at 127.0.0.1:${sink.port} answers and takes the login; mails are from a@example.com`,
  )
  expect(sink.received).toEqual([])
})

test('one that refuses the login, is away or says nothing is told of', async () => {
  const sink = await sinkOf({ onLogin: () => '535 wrong password' })
  const smtp = sink.url.replace('//', '//user:secret@')
  await expect(check({ smtp })).rejects.toThrow(/cannot be used: .*535/)
  const port = await choosePort(0)
  const away = `smtp://127.0.0.1:${port}`
  await expect(check({ smtp: away })).rejects.toThrow(/cannot be used: .*ECONNREFUSED/)
  const stop = new AbortController()
  const silent = createServer(() => stop.abort())
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void silent.close())
  await expect(check({ smtp: away }, stop.signal)).rejects.toThrow(/did not answer in time/)
})

test('what keeps the plugin from starting is fatal, and the outbox is named', async () => {
  await expect(check({})).rejects.toMatchObject({ name: 'FatalError' })
  await expect(check({ smtp: 'ftp://x' })).rejects.toMatchObject({ name: 'FatalError' })
  expect(await check({ smtp: 'outbox' })).toMatch(/written to \/nowhere\/outbox/)
})
