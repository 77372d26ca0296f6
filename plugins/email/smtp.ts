import { createTransport, type NodemailerError } from 'nodemailer'
import type { Delivered, Delivery, Refused } from './delivery.js'
import { toDeliveryError } from './failure.js'
import type { EmailOptions } from './options.js'

// Together below the task's timeout, so that a silent server is named as such.
const timeouts = {
  dnsTimeout: 10_000,
  connectionTimeout: 15_000,
  greetingTimeout: 15_000,
  socketTimeout: 30_000,
}

interface Answers {
  readonly rejected: readonly string[]
  readonly rejectedErrors?: readonly NodemailerError[] | undefined
}

/** Those whom the server did not take the mail for, with what it said to each. */
const refusedOf = ({ rejected, rejectedErrors = [] }: Answers): Refused[] =>
  rejected.map((address) => {
    const error = rejectedErrors.find(({ recipient }) => recipient === address)
    return { address, words: error?.response ?? error?.message ?? 'without a word' }
  })

const isLoopback = ({ hostname }: URL): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)

/**
 * True where nothing may be sent in the clear. An offer of STARTTLS that somebody on the way took out
 * would else have the login sent to them.
 */
const mustEncrypt = (url: URL, { requireTls }: Pick<EmailOptions, 'requireTls'>): boolean =>
  requireTls ?? (url.username !== '' && !isLoopback(url))

/** How the server is spoken to; the URL's query wins over `requireTls` and `tls`. */
export type SmtpOptions = Pick<EmailOptions, 'maxConnections' | 'tls' | 'requireTls'>

/**
 * Delivers over pooled connections to the server of `url` (from `parseSmtpUrl`). Its certificate is
 * verified; the URL's query may tune the connection (`?requireTLS=true`, `?socketTimeout=10000`).
 */
export function openSmtp(url: URL, options: SmtpOptions): Delivery {
  const { maxConnections, tls = {} } = options
  const transport = createTransport({
    ...timeouts,
    requireTLS: mustEncrypt(url, options),
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    url: url.href,
    pool: true,
    maxConnections,
    // One attempt is one delivery: the retry policy counts and spaces them, not the pool.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  return {
    async deliver(message, { signal, log }): Promise<Delivered> {
      const sent = await transport.sendMail({ ...message, signal }).catch((error: unknown) => {
        signal.throwIfAborted()
        throw toDeliveryError(error)
      })
      const refused = refusedOf(sent)
      if (refused.length > 0) {
        log.warn('the mail server refused some recipients and took the mail for the others', {
          rejected: refused.map(({ address }) => address),
          replies: refused.map(({ words }) => words),
        })
      }
      const { messageId, accepted, response } = sent
      return { messageId, accepted, refused, response }
    },
    async check(): Promise<string> {
      await transport.verify().catch((cause: unknown) => {
        const words = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`the SMTP server at ${url.host} cannot be used: ${words}`, { cause })
      })
      const login = url.username === '' ? '' : ' and takes the login'
      return `the SMTP server at ${url.host} answers${login}`
    },
    // Tasks that still run by now were aborted; a server that stalls must not hold the stop.
    close: () => transport.close({ force: true }),
  }
}
