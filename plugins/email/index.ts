import { definePlugin, defineTask } from 'redisdistro'
import type { EmailResult } from './delivery.js'
import { type EmailOptions, type EmailOptionsInput, optionsSchema } from './options.js'
import { payloadSchema } from './payload.js'
import { PostOffice, tryOut } from './post-office.js'

export type { EmailResult } from './delivery.js'
export type { EmailOptionsInput } from './options.js'
export type { EmailPayload } from './payload.js'

const emailTask = (options: EmailOptions, post: PostOffice) =>
  defineTask({
    type: 'email',
    payload: payloadSchema(options),
    queue: 'default',
    // Eight attempts over about twenty minutes: greylisting servers ask for five to fifteen.
    retry: { attempts: 8, backoff: 'exponential', delay: '10s', maxDelay: '1h', jitter: 0.2 },
    timeout: '2m',
    handle: (payload, { task, signal, log }): Promise<EmailResult> =>
      post.deliver(payload, { task, signal, log }),
  })

/**
 * The email plugin: tasks of the type `email`, sent over SMTP, or written as `.eml` files to the
 * outbox while no server is set.
 * @throws RedisDistroError `bad_config` that names the option
 * @example
 * email({ from: 'noreply@example.com', smtp: process.env.SMTP_URL })
 */
export default function email(input: EmailOptionsInput = {}) {
  const post = new PostOffice()
  const configure = definePlugin({
    name: 'email',
    options: optionsSchema,
    tasks: (options) => [emailTask(options, post)],
    setup: (kernel, options) => post.open(kernel, options),
    close: () => post.close(),
    check: tryOut,
  })
  return configure(input)
}
