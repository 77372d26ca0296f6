import { createHash } from 'node:crypto'
import type { SendMailOptions } from 'nodemailer'
import { domainOf, type Mailbox } from './address.js'
import { type EmailPayload, listOf } from './payload.js'

/** A message with the fields that both ways out need. */
export interface MailMessage extends SendMailOptions {
  readonly messageId: string
  readonly to: Mailbox[]
  readonly cc: Mailbox[]
  readonly bcc: Mailbox[]
}

/**
 * A task id as a word that is safe in a file name and in a Message-ID. Two ids never give the same
 * word, as a mail server may drop the second mail of one Message-ID.
 */
export function wordOf(taskId: string): string {
  const word = taskId.replace(/[^A-Za-z0-9_-]/g, (char) =>
    Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  return word.length > 0 && word.length <= 200
    ? word
    : createHash('sha256').update(taskId).digest('hex')
}

const mailboxes = (value: string | readonly string[] | undefined): Mailbox[] =>
  listOf(value).map((address) => ({ name: '', address }))

const partOf = (attachment: NonNullable<EmailPayload['attachments']>[number]) => ({
  filename: attachment.filename,
  contentType: attachment.contentType,
  contentDisposition: 'attachment',
  content:
    attachment.encoding === 'base64'
      ? Buffer.from(attachment.content, 'base64')
      : attachment.content,
})

/**
 * Builds the message of one task, field by field, so that nothing of a payload but what is named
 * here reaches the mail library. The Message-ID is the task's: a mail that is sent a second time
 * after a lost answer can be known for the same.
 */
export function toMessage(payload: EmailPayload, sender: Mailbox, taskId: string): MailMessage {
  return {
    messageId: `<${wordOf(taskId)}@${domainOf(sender.address)}>`,
    from: { ...sender },
    to: mailboxes(payload.to),
    cc: mailboxes(payload.cc),
    bcc: mailboxes(payload.bcc),
    replyTo: mailboxes(payload.replyTo),
    subject: payload.subject,
    text: payload.body,
    html: payload.html,
    attachments: payload.attachments?.map(partOf),
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
