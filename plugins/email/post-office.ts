import { join } from 'node:path'
import type { PluginHost } from 'redisdistro'
import { type Mailbox, parseSender } from './address.js'
import type { Delivery, DeliveryContext, EmailResult } from './delivery.js'
import { toMessage } from './message.js'
import type { EmailOptions } from './options.js'
import { openOutbox } from './outbox.js'
import type { EmailPayload } from './payload.js'
import { chooseDestination, chooseSender } from './settings.js'
import { openSmtp } from './smtp.js'

interface OpenOffice {
  readonly sender: Mailbox
  readonly delivery: Delivery
}

function openDelivery(kernel: PluginHost, options: EmailOptions): Delivery {
  const destination = chooseDestination(options, process.env, kernel.env.production)
  if (destination.kind === 'smtp') {
    const { hostname, port, protocol } = destination.url
    kernel.log.info('mails are sent over SMTP', { host: hostname, port, protocol })
    return openSmtp(destination.url, options.maxConnections)
  }
  const directory = join(kernel.directory, 'outbox')
  kernel.log.info(
    destination.chosen
      ? 'mails are not sent but written to the outbox as .eml files, as asked for'
      : 'SMTP_URL is not set: mails are not sent but written to the outbox as .eml files; ' +
          'set SMTP_URL=smtp://user:password@host:587 to send them',
    { directory },
  )
  return openOutbox(directory)
}

/**
 * What one use of the plugin holds open. It opens with the first kernel that sets the plugin up and
 * closes with the last, as one config may serve several kernels of a process.
 */
export class PostOffice {
  private office: OpenOffice | undefined
  private users = 0

  /** @throws Error that tells what to set, see `chooseDestination` and `chooseSender` */
  open(kernel: PluginHost, options: EmailOptions): void {
    this.office ??= {
      sender: chooseSender(options, process.env),
      delivery: openDelivery(kernel, options),
    }
    this.users += 1
  }

  /** Delivers the mail of one task; see `Delivery.deliver`. */
  async deliver(payload: EmailPayload, context: DeliveryContext): Promise<EmailResult> {
    if (!this.office) throw new Error('the email plugin is not set up')
    const { sender, delivery } = this.office
    const from = payload.from === undefined ? sender : (parseSender(payload.from) ?? sender)
    return delivery.deliver(toMessage(payload, from, context.taskId), context)
  }

  close(): void {
    this.users = Math.max(0, this.users - 1)
    if (this.users > 0) return
    this.office?.delivery.close()
    this.office = undefined
  }
}
