import { type Mailbox, parseSender, senderRule } from './address.js'
import type { EmailOptions } from './options.js'
import { parseSmtpUrl } from './smtp-url.js'

/** The environment variables that stand in for options. */
export interface MailEnvironment {
  readonly SMTP_URL?: string | undefined
  readonly MAIL_FROM?: string | undefined
}

/** Where mails go: a server, the outbox that was asked for, or the outbox for want of a server. */
export type Destination =
  | { readonly kind: 'smtp'; readonly url: URL }
  | { readonly kind: 'outbox'; readonly chosen: boolean }

const defaultSender: Mailbox = { name: 'RedisDistro', address: 'noreply@localhost' }

/**
 * Decides where mails go, by the option first and SMTP_URL second.
 * @throws Error in production without a server, or with a URL of another kind; says no secret
 */
export function chooseDestination(
  options: Pick<EmailOptions, 'smtp'>,
  environment: MailEnvironment,
  production: boolean,
): Destination {
  const text = options.smtp || environment.SMTP_URL
  if (text === 'outbox') return { kind: 'outbox', chosen: true }
  if (text) {
    const url = parseSmtpUrl(text)
    if (url) return { kind: 'smtp', url }
    const where = options.smtp ? "the option 'smtp'" : 'SMTP_URL'
    throw new Error(`${where} must be an smtp:// or smtps:// URL with a host, or outbox`)
  }
  if (!production) return { kind: 'outbox', chosen: false }
  throw new Error(
    'no SMTP server is set: set SMTP_URL to smtp://user:password@host:587 (or smtps://), ' +
      'or SMTP_URL=outbox to write mails to files',
  )
}

/**
 * Whom mails are from that do not say so: the option, MAIL_FROM, or a stand-in.
 * @throws Error if MAIL_FROM is no sender
 */
export function chooseSender(
  options: Pick<EmailOptions, 'from'>,
  environment: MailEnvironment,
): Mailbox {
  const text = options.from || environment.MAIL_FROM
  if (!text) return defaultSender
  const sender = parseSender(text)
  if (sender) return sender
  throw new Error(`MAIL_FROM ${senderRule}`)
}
