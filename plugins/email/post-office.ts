import { join } from 'node:path'
import { FatalError, type PluginCheckHost, type PluginClient, type PluginHost } from 'redisdistro'
import { type Mailbox, parseSender } from './address.js'
import type { Delivery, DeliveryContext, EmailResult } from './delivery.js'
import { followUp } from './follow-ups.js'
import { toMessage } from './message.js'
import type { EmailOptions } from './options.js'
import type { EmailPayload } from './payload.js'
import { chooseDestination, chooseSender } from './settings.js'

interface OpenOffice {
  readonly sender: Mailbox
  readonly delivery: Delivery
}

// What sends is loaded here: clients and commands read the config too, and never send.
async function openDelivery(
  kernel: Omit<PluginHost, 'client'>,
  options: EmailOptions,
): Promise<Delivery> {
  const destination = chooseDestination(options, process.env, kernel.env.production)
  if (destination.kind === 'smtp') {
    const { hostname, port, protocol } = destination.url
    kernel.log.info('mails are sent over SMTP', { host: hostname, port, protocol })
    const { openSmtp } = await import('./smtp.js')
    return openSmtp(destination.url, options)
  }
  const directory = join(kernel.directory, 'outbox')
  kernel.log.info(
    destination.chosen
      ? 'mails are not sent but written to the outbox as .eml files, as asked for'
      : 'SMTP_URL is not set: mails are not sent but written to the outbox as .eml files; ' +
          'set SMTP_URL=smtp://user:password@host:587 to send them',
    { directory },
  )
  const { openOutbox } = await import('./outbox.js')
  return openOutbox(directory)
}

async function openOffice(
  kernel: Omit<PluginHost, 'client'>,
  options: EmailOptions,
): Promise<OpenOffice> {
  const sender = chooseSender(options, process.env)
  return { sender, delivery: await openDelivery(kernel, options) }
}

/**
 * Opens an office of its own, looks whether mails can go out, and closes it.
 * @throws FatalError where none can be opened, Error where the server does not answer as it should
 */
export async function tryOut(host: PluginCheckHost, options: EmailOptions): Promise<string> {
  const { delivery, sender } = await openOffice(host, options).catch((cause: unknown) => {
    throw new FatalError(cause instanceof Error ? cause.message : String(cause), { cause })
  })
  const late = new Promise<never>((_, reject) => {
    const words = 'the mail server did not answer in time'
    host.signal.addEventListener('abort', () => reject(new Error(words)), { once: true })
  })
  try {
    return `${await Promise.race([delivery.check(), late])}; mails are from ${sender.address}`
  } finally {
    delivery.close()
  }
}

/**
 * What one use of the plugin holds open. It opens with the first kernel that sets the plugin up and
 * closes with the last, as one config may serve several kernels of a process.
 */
export class PostOffice {
  private office: Promise<OpenOffice> | undefined
  private users = 0
  /** Of the kernels that it was opened for, the newest first. */
  private clients: PluginClient[] = []

  /** @throws Error that tells what to set, see `chooseDestination` and `chooseSender` */
  async open(kernel: PluginHost, options: EmailOptions): Promise<void> {
    const opening = this.office ?? openOffice(kernel, options)
    this.office = opening
    this.users += 1
    try {
      await opening
      // A stand-in for a kernel, as in a test of somebody's, may have none.
      if (kernel.client) this.clients.unshift(kernel.client)
    } catch (error) {
      this.users -= 1
      this.office = undefined
      throw error
    }
  }

  /**
   * Delivers the mail of one task, and hands those whom the server refused while it took others on
   * to tasks of their own; see `Delivery.deliver` and `followUp`.
   */
  async deliver(payload: EmailPayload, context: DeliveryContext): Promise<EmailResult> {
    if (!this.office) throw new Error('the email plugin is not set up')
    const { sender, delivery } = await this.office
    const from = payload.from === undefined ? sender : (parseSender(payload.from) ?? sender)
    const message = toMessage(payload, from, context.task.id)
    const { refused, ...delivered } = await delivery.deliver(message, context)
    const rejected = refused.map(({ address }) => address)
    if (rejected.length === 0) return { ...delivered, rejected, followUps: [] }
    const followUps = await followUp(this.clients, { payload, refused, context })
    return { ...delivered, rejected, followUps }
  }

  async close(): Promise<void> {
    this.users = Math.max(0, this.users - 1)
    if (this.users > 0) return
    const closing = this.office
    this.office = undefined
    this.clients = []
    const office = await closing
    office?.delivery.close()
  }
}
