import { createTransport } from 'nodemailer'
import type { Delivery, EmailResult } from './delivery.js'
import { toDeliveryError } from './failure.js'

// Together below the task's timeout, so that a silent server is named as such.
const timeouts = {
  dnsTimeout: 10_000,
  connectionTimeout: 15_000,
  greetingTimeout: 15_000,
  socketTimeout: 30_000,
}

/**
 * Delivers over pooled connections to the server of `url` (from `parseSmtpUrl`). Its certificate is
 * verified; the URL's query may tune the connection (`?requireTLS=true`, `?socketTimeout=10000`).
 */
export function openSmtp(url: URL, maxConnections: number): Delivery {
  const transport = createTransport({
    ...timeouts,
    url: url.href,
    pool: true,
    maxConnections,
    // One attempt is one delivery: the retry policy counts and spaces them, not the pool.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  return {
    async deliver(message, { signal, log }): Promise<EmailResult> {
      const sent = await transport.sendMail({ ...message, signal }).catch((error: unknown) => {
        signal.throwIfAborted()
        throw toDeliveryError(error)
      })
      // Another attempt would reach those a second time who have the mail already.
      if (sent.rejected.length > 0) {
        log.warn('the mail server refused some recipients and took the mail for the others', {
          rejected: sent.rejected,
          replies: sent.rejectedErrors?.map((error) => error.response ?? error.message),
        })
      }
      const { messageId, accepted, rejected, response } = sent
      return { messageId, accepted, rejected, response }
    },
    // Tasks that still run by now were aborted; a server that stalls must not hold the stop.
    close: () => transport.close({ force: true }),
  }
}
