import type { TaskContext, TaskLog } from 'redisdistro'
import type { MailMessage } from './message.js'

/** A recipient whom the server refused while it took the mail for others. */
export interface Refused {
  readonly address: string
  /** The server's words. */
  readonly words: string
}

/** What became of one message on its way out. */
export interface Delivered {
  readonly messageId: string
  readonly accepted: string[]
  readonly refused: readonly Refused[]
  /** The server's last words. */
  readonly response?: string
  /** Absolute path of the `.eml` file, from the outbox only. */
  readonly file?: string
}

/** The result of an `email` task. */
export interface EmailResult extends Omit<Delivered, 'refused'> {
  /** Addresses that the server, or the outbox, took the mail for. */
  readonly accepted: string[]
  /** Addresses that the server refused while it took others; each goes on as a task of its own. */
  readonly rejected: string[]
  /** The ids of those tasks, in the same order. */
  readonly followUps: string[]
}

/** What a delivery needs beside the message. */
export interface DeliveryContext {
  readonly task: Pick<TaskContext['task'], 'id' | 'type' | 'queue'>
  readonly signal: AbortSignal
  readonly log: TaskLog
}

/** A way out for mails: an SMTP server or the outbox. */
export interface Delivery {
  /** Delivers one message, or throws what the retry policy is to judge. */
  deliver(message: MailMessage, context: DeliveryContext): Promise<Delivered>
  /** Looks whether mails can go this way now, and says in words what it found. */
  check(): Promise<string>
  /** Ends connections; no delivery follows. */
  close(): void
}
