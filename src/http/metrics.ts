import type { FastifyInstance } from 'fastify'
import type { OperatorContract, QueueStatus, Stats } from '../client/contract.js'
import { systemClock } from '../core/clock.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Log } from '../telemetry/log.js'
import type { Counters } from '../telemetry/metrics.js'
import { describe } from './openapi/describe.js'
import {
  type Family,
  metricName,
  prometheusType,
  renderPrometheus,
  type Sample,
} from './prometheus.js'

export interface MetricsParts {
  readonly operator: OperatorContract
  readonly counters: Counters
  readonly log: Log
}

const events = ['enqueued', 'completed', 'retried', 'dead', 'cancelled', 'lost'] as const

type Words = Pick<Family, 'name' | 'help'>

function queueGauge(words: Words, stats: Stats, of: (queue: QueueStatus) => number): Family {
  const samples = stats.queues.map((queue) => ({ labels: { queue: queue.name }, value: of(queue) }))
  return { ...words, type: 'gauge', samples }
}

function depthSamples({ queues }: Stats): Sample[] {
  return queues.flatMap(({ name, depth }) =>
    Object.entries(depth).map(([state, value]) => ({ labels: { queue: name, state }, value })),
  )
}

/** What the store knows, the same from whichever process it is asked. */
function storeFamilies(stats: Stats): Family[] {
  return [
    {
      name: 'redisdistro_queue_depth',
      help: 'Tasks of a queue by state.',
      type: 'gauge',
      samples: depthSamples(stats),
    },
    queueGauge(
      {
        name: 'redisdistro_queue_oldest_waiting_seconds',
        help: 'Age of the task that waits longest; 0 where none waits.',
      },
      stats,
      ({ oldestWaitingAge }) => (oldestWaitingAge ?? 0) / 1000,
    ),
    queueGauge(
      { name: 'redisdistro_queue_paused', help: 'Whether a queue is paused.' },
      stats,
      ({ paused }) => Number(paused),
    ),
    queueGauge(
      { name: 'redisdistro_workers', help: 'Live workers of a queue.' },
      stats,
      ({ workers }) => workers,
    ),
    {
      name: 'redisdistro_tasks_total',
      help: 'What became of tasks since the store began, over all processes.',
      type: 'counter',
      samples: events.map((event) => ({ labels: { event }, value: stats.total[event] })),
    },
  ]
}

interface ProcessReading {
  readonly uptimeSeconds: number
  readonly cpuSeconds: number
  readonly residentMemoryBytes: number
  readonly heapUsedBytes: number
}

function readProcess(): ProcessReading {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return {
    uptimeSeconds: systemClock.monotonic() / 1000,
    cpuSeconds: (user + system) / 1e6,
    residentMemoryBytes: rss,
    heapUsedBytes: heapUsed,
  }
}

function processFamilies(reading: ProcessReading): Family[] {
  const one = (words: Words, type: Family['type'], value: number): Family => ({
    ...words,
    type,
    samples: [{ value }],
  })
  const { uptimeSeconds, cpuSeconds, residentMemoryBytes, heapUsedBytes } = reading
  return [
    one({ name: 'process_uptime_seconds', help: 'Age of this process.' }, 'gauge', uptimeSeconds),
    one({ name: 'process_cpu_seconds_total', help: 'CPU time it used.' }, 'counter', cpuSeconds),
    one(
      { name: 'process_resident_memory_bytes', help: 'Memory it holds.' },
      'gauge',
      residentMemoryBytes,
    ),
    one(
      { name: 'nodejs_heap_size_used_bytes', help: 'JavaScript heap in use.' },
      'gauge',
      heapUsedBytes,
    ),
  ]
}

/** Counters of this process, grouped by their name. */
function counterFamilies(counters: Counters): Family[] {
  const samples = new Map<string, Sample[]>()
  for (const { name, labels, value } of counters.read()) {
    const shown = metricName(name)
    samples.set(shown, [...(samples.get(shown) ?? []), { labels, value }])
  }
  return [...samples].map(([name, list]) => ({
    name,
    help: 'Counted by this process since it started.',
    type: 'counter',
    samples: list,
  }))
}

/** The store's numbers; undefined where it is away, since this process can still be told of. */
async function askStore({ operator, log }: MetricsParts): Promise<Stats | undefined> {
  try {
    return await operator.stats()
  } catch (error) {
    const away = isRedisDistroError(error) && error.family === 'infrastructure'
    const say = away ? log.debug : log.error
    say('the store could not be asked for its metrics', { err: error })
    return undefined
  }
}

function familiesOf(stats: Stats | undefined, counters: Counters): Family[] {
  const up: Family = {
    name: 'redisdistro_up',
    help: 'Whether the store answers.',
    type: 'gauge',
    samples: [{ value: stats === undefined ? 0 : 1 }],
  }
  const store = stats === undefined ? [] : storeFamilies(stats)
  return [up, ...store, ...counterFamilies(counters), ...processFamilies(readProcess())]
}

const route = describe({
  summary: 'Metrics for Prometheus',
  detail: 'JSON for `Accept: application/json`.',
  tags: ['service'],
  answers: {
    200: { says: "Prometheus's text, or JSON.", body: 'Metrics', text: 'text/plain' },
  },
})

/** `/metrics`: Prometheus's text, or JSON for who accepts that. */
export function metricsRoutes(app: FastifyInstance, parts: MetricsParts): void {
  app.get('/metrics', route, async (request, reply) => {
    const stats = await askStore(parts)
    const varies = reply.getHeader('vary')
    reply.header('vary', varies === undefined ? 'accept' : `${varies}, accept`)
    if (/\bapplication\/json\b/i.test(request.headers.accept ?? '')) {
      const [counters, process] = [parts.counters.read(), readProcess()]
      return { up: stats !== undefined, stats: stats ?? null, counters, process }
    }
    return reply.type(prometheusType).send(renderPrometheus(familiesOf(stats, parts.counters)))
  })
}
