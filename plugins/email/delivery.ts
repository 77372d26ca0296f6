import type { TaskLog } from 'redisdistro'
import type { MailMessage } from './message.js'

/** The result of an `email` task. */
export interface EmailResult {
  readonly messageId: string
  /** Addresses that the server, or the outbox, took the mail for. */
  readonly accepted: string[]
  /** Addresses that the server refused while it took others; they get nothing. */
  readonly rejected: string[]
  /** The server's last words. */
  readonly response?: string
  /** Absolute path of the `.eml` file, from the outbox only. */
  readonly file?: string
}

/** What a delivery needs beside the message. */
export interface DeliveryContext {
  readonly taskId: string
  readonly signal: AbortSignal
  readonly log: TaskLog
}

/** A way out for mails: an SMTP server or the outbox. */
export interface Delivery {
  /** Delivers one message, or throws what the retry policy is to judge. */
  deliver(message: MailMessage, context: DeliveryContext): Promise<EmailResult>
  /** Ends connections; no delivery follows. */
  close(): void
}
