import type { Broker } from '../core/broker.js'
import { redact } from '../core/secrets.js'
import type { Readiness } from '../http/health.js'

/** How long Redis may take to answer before the process counts as not ready, in ms. */
const readyWithin = 1000

/** Whether Redis answers, and, where there are workers, whether each holds a lease. */
export async function readinessOf(
  broker: Broker,
  workers: (() => boolean) | undefined,
): Promise<Readiness> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${readyWithin} ms`)), readyWithin).unref()
  })
  const redis = await Promise.race([broker.now(), late]).then(
    () => 'ok',
    (error: unknown) => redact(error instanceof Error ? error.message : String(error)),
  )
  const healthy = workers === undefined || workers() ? 'ok' : 'not every worker holds a lease'
  const checks = { redis, ...(workers ? { workers: healthy } : {}) }
  return { ok: Object.values(checks).every((verdict) => verdict === 'ok'), checks }
}
