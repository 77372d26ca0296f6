import type { NodemailerError } from 'nodemailer'
import { FatalError } from 'redisdistro'

// The replies to MAIL FROM, RCPT TO and DATA speak of the mail.
const repliesToMail: ReadonlySet<string | undefined> = new Set(['EENVELOPE', 'EMESSAGE'])
// 'Authentication required' may answer MAIL FROM too, and speaks of the connection.
const authenticationRequired = 530

const isErrorOfSending = (error: unknown): error is NodemailerError => error instanceof Error

/**
 * True if the server refused this mail for good: a 5xx to the envelope or the content. A 5xx to the
 * greeting or the login is the same for each mail and passes once the account or address is in
 * order again, so it must not bury a whole queue.
 */
function isRefusal(error: unknown): boolean {
  if (!isErrorOfSending(error) || !repliesToMail.has(error.code)) return false
  return error.permanent === true && error.responseCode !== authenticationRequired
}

/**
 * The error that a failed delivery throws, with the server's words: FatalError for a refusal, else
 * a plain one for the retry policy.
 */
export function toDeliveryError(error: unknown): Error {
  const words = error instanceof Error ? error.message : String(error)
  if (isRefusal(error)) {
    return new FatalError(`the mail server refused the mail: ${words}`, { cause: error })
  }
  return new Error(`the mail could not be delivered: ${words}`, { cause: error })
}
