import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { hello, setUp } from './harness.js'

describe('the outbox', () => {
  test('holds the whole mail in one file named after the task', async () => {
    const { directory, send } = await setUp({ from: 'app@example.org' })
    const result = await send({
      ...hello,
      subject: 'Grüße',
      html: '<p>Hi</p>',
      cc: 'cid@example.com',
      bcc: 'dee@example.com',
      attachments: [{ filename: 'a.txt', content: 'inside' }],
    })
    const file = join(directory, 'outbox', 'task-1.eml')
    expect(result).toEqual({
      messageId: '<task-1@example.org>',
      accepted: ['ann@example.com', 'cid@example.com', 'dee@example.com'],
      rejected: [],
      followUps: [],
      file,
    })
    const raw = await readFile(file, 'utf8')
    const mail = await simpleParser(raw)
    expect(mail.from?.text).toBe('app@example.org')
    expect(mail.to).toMatchObject({ text: 'ann@example.com' })
    expect(mail.subject).toBe('Grüße')
    expect(mail.messageId).toBe('<task-1@example.org>')
    expect(mail.text?.trim()).toBe('Good morning.')
    expect(mail.attachments[0]?.content.toString()).toBe('inside')
    expect(raw).not.toContain('dee@example.com')
  })

  test('holds one file a task, whatever the attempts, and no drafts', async () => {
    const { directory, send } = await setUp()
    await send({ ...hello, body: 'first' }, { attempt: 1 })
    await send({ ...hello, body: 'second' }, { attempt: 2 })
    expect(await readdir(join(directory, 'outbox'))).toEqual(['task-1.eml'])
    expect(await readFile(join(directory, 'outbox', 'task-1.eml'), 'utf8')).toContain('second')
  })

  test('is for its owner’s eyes only', async () => {
    const { directory, send } = await setUp()
    const { file = expect.fail('no file') } = await send(hello)
    expect((await stat(file)).mode & 0o077).toBe(0)
    expect((await stat(join(directory, 'outbox'))).mode & 0o077).toBe(0)
  })

  test('stays in its folder whatever a task is called', async () => {
    const { directory, send } = await setUp()
    for (const taskId of ['../../escape', 'a:b', 'a-b', '..', ':'.repeat(128)]) {
      await send(hello, { taskId })
    }
    const files = await readdir(join(directory, 'outbox'))
    expect(files).toHaveLength(5)
    expect(await readdir(directory)).toEqual(['outbox'])
  })

  test('gets nothing from an aborted task', async () => {
    const { directory, send } = await setUp()
    const reason = new Error('cancelled')
    await expect(send(hello, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await readdir(directory)).toEqual([])
  })

  test('names each mail it wrote in the log', async () => {
    const { lines, send } = await setUp()
    const { file } = await send(hello)
    expect(lines).toContainEqual({
      level: 'info',
      message: 'mail written to the outbox',
      fields: { file },
    })
  })
})
