import { z } from 'zod'
import { durationSchema } from './duration.js'

/** What a policy may say of one error: go on by the policy, give up, or come back `after` ms. */
export type RetryDecision = 'retry' | 'bury' | { readonly after: string | number }

/** Asked for each error that is neither FatalError nor RetryError. */
export type DecideRetry = (error: unknown, context: { readonly attempt: number }) => RetryDecision

/** The parts of a retry policy; each may be left out, and a lower level's then holds. */
export const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(1000).optional().describe('Runs at most, the first one included.'),
  backoff: z
    .enum(['fixed', 'linear', 'exponential'])
    .optional()
    .describe('How the delay grows from attempt to attempt.'),
  delay: durationSchema.optional().describe('Delay after the first failure.'),
  maxDelay: durationSchema.optional().describe('No delay is longer than this.'),
  jitter: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of the delay that is left to chance, so that failures do not return at once.'),
  decide: z
    .custom<DecideRetry>(
      (value) => typeof value === 'function',
      'must be a function (error, context)',
    )
    .optional()
    .describe('Decision by error; in definitions only.'),
})

export type RetryOptions = z.input<typeof retrySchema>

/** A whole policy; `delay` and `maxDelay` in ms. */
export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: 'fixed' | 'linear' | 'exponential'
  readonly delay: number
  readonly maxDelay: number
  readonly jitter: number
  readonly decide?: DecideRetry | undefined
}

/**
 * The delay in ms before the attempt after `attempt` (from 1). With jitter j the delay is spread
 * evenly over [d(1 - j), d], so that it never exceeds the cap. `random` gives [0, 1).
 */
export function retryDelay(policy: RetryPolicy, attempt: number, random: () => number): number {
  const grown =
    policy.backoff === 'fixed'
      ? policy.delay
      : policy.backoff === 'linear'
        ? policy.delay * attempt
        : policy.delay * 2 ** (attempt - 1)
  const capped = Math.min(grown, policy.maxDelay)
  return Math.round(capped * (1 - policy.jitter * random()))
}

/** Losses of its lease after which a task runs alone in a process of its own. */
export const suspectAfter = 2
