import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Delivered, Delivery } from './delivery.js'
import { type MailMessage, wordOf } from './message.js'

// As they would be sent: without Bcc.
const compose = (message: MailMessage): Promise<Buffer> =>
  new MailComposer(message).compile().build()

async function writeWhole(path: string, content: Buffer, signal: AbortSignal): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, content, { mode: 0o600, signal })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/**
 * Writes each mail as a whole to `<task id>.eml` in `directory`, made if it is not there; a second
 * attempt replaces the file. Only the owner may read: mails hold people's own words.
 */
export function openOutbox(directory: string): Delivery {
  return {
    async deliver(message, { task, signal, log }): Promise<Delivered> {
      signal.throwIfAborted()
      const content = await compose(message)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = join(directory, `${wordOf(task.id)}.eml`)
      await writeWhole(file, content, signal)
      log.info('mail written to the outbox', { file })
      const recipients = [...message.to, ...message.cc, ...message.bcc]
      const accepted = [...new Set(recipients.map(({ address }) => address))]
      return { messageId: message.messageId, accepted, refused: [], file }
    },
    check: async () => `mails are not sent but written to ${directory} as .eml files`,
    close() {},
  }
}
