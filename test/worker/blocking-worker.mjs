// A worker process of its own, from the built program: its one handler blocks the event loop for as
// many ms as the payload says. Arguments: url of Redis, key prefix, lease and maxBlocked in ms.
import { writeSync } from 'node:fs'
import { z } from 'zod'
import { createRedisBroker } from '../../dist/src/broker/redis-broker.js'
import { systemClock } from '../../dist/src/core/clock.js'
import { defineTask } from '../../dist/src/core/definition.js'
import { newLife } from '../../dist/src/core/life.js'
import { silentLog } from '../../dist/src/telemetry/log.js'
import { createCounters } from '../../dist/src/telemetry/metrics.js'
import { QueueWorker } from '../../dist/src/worker/queue-worker.js'

const [url = '', prefix = '', lease = '', maxBlocked = ''] = process.argv.slice(2)
const log = silentLog
const broker = createRedisBroker({
  connection: { url },
  prefix,
  commandTimeout: 5000,
  allowEviction: false,
  log,
})
await broker.open()

const definition = defineTask({
  type: 'job',
  payload: z.number(),
  handle(ms, { task }) {
    writeSync(1, `blocks ${task.id}\n`)
    const end = performance.now() + ms
    while (performance.now() < end);
    return 'blocked'
  },
})
/** @type {import('../../dist/src/core/retry.js').RetryPolicy} */
const retry = { attempts: 3, backoff: 'fixed', delay: 10, maxDelay: 10, jitter: 0 }
const worker = new QueueWorker({
  broker,
  partition: { queue: 'default', index: 0, of: 1 },
  weight: 1,
  concurrency: 1,
  registry: new Map([
    ['job', { definition, queue: 'default', retry, timeout: 60_000, deadLetter: 'dead' }],
  ]),
  settings: { lease: Number(lease), shutdownGrace: 0, mismatchGrace: 1000, maxCrashes: 2 },
  retention: { age: 86_400_000, count: 1000 },
  log,
  counters: createCounters(),
  keeper: broker.keeper({ lease: Number(lease), maxBlocked: Number(maxBlocked), log: () => {} }),
  clock: systemClock,
  life: newLife(),
})
worker.start()
