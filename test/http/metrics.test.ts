import { describe, expect, test } from 'vitest'
import { RedisDistroError } from '../../src/core/errors.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { api } from './stand-in.js'

const countersWith = (value: number) => {
  const counters = createCounters()
  counters.add('redisdistro_attempts_total', { queue: 'default', outcome: 'complete' }, value)
  return counters
}

describe('GET /metrics', () => {
  test('is the text that Prometheus reads', async () => {
    const app = await api({}, { counters: countersWith(4) })
    const reply = await app.inject('/metrics')
    expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = reply.body.split('\n')
    for (const line of [
      'redisdistro_up 1',
      '# TYPE redisdistro_queue_depth gauge',
      'redisdistro_queue_depth{queue="default",state="waiting"} 3',
      'redisdistro_queue_oldest_waiting_seconds{queue="default"} 1.5',
      'redisdistro_queue_paused{queue="default"} 0',
      'redisdistro_queue_paused{queue="odd\\"\\\\\\nname"} 1',
      'redisdistro_workers{queue="default"} 2',
      '# TYPE redisdistro_tasks_total counter',
      'redisdistro_tasks_total{event="lost"} 4',
      'redisdistro_attempts_total{queue="default",outcome="complete"} 4',
    ]) {
      expect(lines).toContain(line)
    }
    expect(reply.body).toMatch(/^process_resident_memory_bytes \d{6,}$/m)
    expect(reply.body).toMatch(/^process_uptime_seconds [\d.]+$/m)
  })

  test('has one HELP and one TYPE for each name, and nothing else but samples', async () => {
    const app = await api({}, { counters: countersWith(1) })
    await app.inject('/queues')
    const { body } = await app.inject('/metrics')
    expect(body.endsWith('\n')).toBe(true)
    const lines = body.trimEnd().split('\n')
    const sample = /^([a-zA-Z_]\w*)(\{\w+="([^"\\]|\\.)*"(,\w+="([^"\\]|\\.)*")*\})? [-+\d.eInf]+$/
    const names = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => sample.exec(line)?.[1])
    expect(names).not.toContain(undefined)
    for (const word of ['HELP', 'TYPE']) {
      const heads = lines.filter((line) => line.startsWith(`# ${word} `))
      const headed = heads.map((line) => line.split(' ')[2])
      expect(headed.sort()).toEqual([...new Set(names)].sort())
    }
    expect(body).toContain(
      'redisdistro_http_requests_total{method="GET",route="/queues",status="200"} 1',
    )
  })

  test('is JSON for who asks for that', async () => {
    const app = await api({}, { counters: countersWith(2) })
    const reply = await app.inject({ url: '/metrics', headers: { accept: 'application/json' } })
    expect(reply.json()).toMatchObject({
      up: true,
      stats: { total: { enqueued: 9 } },
      counters: [{ name: 'redisdistro_attempts_total', value: 2 }],
      process: { residentMemoryBytes: expect.any(Number) },
    })
  })

  test('still tells of this process while the store is away', async () => {
    const app = await api({}, { counters: countersWith(4) })
    app.operator.failure = new RedisDistroError('store_away', 'gone')
    const reply = await app.inject('/metrics')
    expect(reply.statusCode).toBe(200)
    expect(reply.body).toContain('\nredisdistro_up 0\n')
    expect(reply.body).toContain('redisdistro_attempts_total')
    expect(reply.body).not.toContain('redisdistro_queue_depth')
  })
})

describe('health', () => {
  test('is told while the store is away, readiness is not', async () => {
    const found = { redis: 'no answer', workers: 'ok' }
    const app = await api({}, { ready: async () => ({ ok: false, checks: found }) })
    expect((await app.inject('/health')).json()).toEqual({ status: 'ok' })
    const reply = await app.inject('/ready')
    expect(reply.statusCode).toBe(503)
    const checks = { redis: 'does not answer as it should', workers: 'ok' }
    expect(reply.json()).toMatchObject({ status: 503, code: 'store_away', checks })
    expect(reply.json().detail).toBe('redis: does not answer as it should')
  })

  test('is ready with what was checked', async () => {
    const app = await api()
    expect((await app.inject('/ready')).json()).toEqual({ status: 'ok', checks: { redis: 'ok' } })
  })

  test('is not ready where that cannot be found out', async () => {
    const app = await api({}, { ready: () => Promise.reject(new Error('broken')) })
    expect((await app.inject('/ready')).statusCode).toBe(503)
  })
})

test('the role of a worker serves health, readiness and metrics alone', async () => {
  const app = await api({ role: 'worker' })
  const statusOf = async (url: string) => (await app.inject(url)).statusCode
  for (const url of ['/health', '/ready', '/metrics']) expect(await statusOf(url)).toBe(200)
  for (const url of ['/tasks', '/queues', '/stats', '/workers', '/dead-letters']) {
    expect(await statusOf(url)).toBe(404)
  }
  const enqueue = { method: 'POST', url: '/enqueue/email', payload: {} } as const
  expect((await app.inject(enqueue)).statusCode).toBe(404)
})
