import { RedisDistroError } from '../core/errors.js'
import { describeApi } from '../http/server.js'
import { silentLog } from '../telemetry/log.js'
import { createCounters } from '../telemetry/metrics.js'
import { httpOptionsOf } from './front.js'
import type { Kernel } from './kernel.js'

/**
 * The OpenAPI document that the kernel's server would give out; nothing listens or asks Redis.
 * @throws RedisDistroError `bad_config` where the config has no server
 */
export async function apiDocument({ config, client, operator }: Kernel): Promise<unknown> {
  if (config.http === false) {
    throw new RedisDistroError('bad_config', 'http: is false, so there is no API to describe')
  }
  return await describeApi(httpOptionsOf(config.http, 'producer'), {
    enqueuer: client,
    operator,
    counters: createCounters(),
    log: silentLog,
    stopping: new AbortController().signal,
    ready: async () => ({ ok: true, checks: {} }),
  })
}
