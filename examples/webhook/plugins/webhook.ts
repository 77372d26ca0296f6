import { definePlugin, defineTask, FatalError, RetryError } from 'redisdistro'
import { z } from 'zod'

const optionsSchema = z.strictObject({
  origins: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .describe('Whom it may post to, such as https://hooks.example.com.'),
})

/** Answers that ask to come again, though they begin with a 4. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

/** ms from a Retry-After, in seconds or as a date; undefined where it says nothing of use. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after') ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** What a refusal means: never again, again at the receiver's word, or again by the policy. */
function toError(response: Response): Error {
  const words = `the receiver answered ${response.status}`
  const after = retryAfter(response)
  if (response.status < 500 && !passing.has(response.status)) return new FatalError(words)
  return after === undefined ? new Error(words) : new RetryError(words, { after })
}

const webhookTask = (origins: ReadonlySet<string>) =>
  defineTask({
    type: 'webhook',
    payload: z.object({
      url: z.url({ protocol: /^https?$/ }).refine((url) => origins.has(new URL(url).origin), {
        error: 'must lie at one of the origins that the config allows',
      }),
      event: z.string().min(1).max(100),
      body: z.record(z.string(), z.unknown()).default({}),
    }),
    queue: 'webhooks',
    retry: { attempts: 8, backoff: 'exponential', delay: '1s', maxDelay: '10m' },
    deadLetter: 'dead:webhook',
    timeout: '15s',
    async handle({ url, event, body }, { task, signal, log }) {
      const response = await fetch(url, {
        method: 'POST',
        // A task may run twice: the receiver tells a repeat by its id.
        headers: { 'content-type': 'application/json', 'idempotency-key': task.id },
        body: JSON.stringify({ event, body }),
        redirect: 'manual',
        signal,
      })
      await response.body?.cancel()
      if (!response.ok) throw toError(response)
      log.info('webhook delivered', { event, status: response.status })
      return { status: response.status }
    },
  })

/** Posts events to other services, as tasks of the type `webhook`. */
export default definePlugin({
  name: 'webhook',
  options: optionsSchema,
  tasks: ({ origins }) => [webhookTask(new Set(origins.map((url) => new URL(url).origin)))],
})
