import { expect, test } from 'vitest'
import { RedisDistroError } from '../../src/core/errors.js'
import type { Log } from '../../src/telemetry/log.js'
import { silentLog } from '../../src/telemetry/log.js'
import { api } from './stand-in.js'

/** A log that keeps the fields of what is logged as an error. */
function keepingLog() {
  const errors: Record<string, unknown>[] = []
  const log: Log = { ...silentLog, error: (_message, fields = {}) => void errors.push(fields) }
  return { log, errors }
}

test('a fault shows nothing of itself but the id under which the log has it', async () => {
  const { log, errors } = keepingLog()
  const app = await api({}, { log })
  for (const failure of [
    new Error('cannot read /srv/app/secret.ts'),
    new RedisDistroError('internal', 'Redis answered: ERR user_script at 10.0.0.5'),
    Object.assign(new Error('teapot in /srv/app'), { statusCode: 'no number' }),
  ]) {
    app.operator.failure = failure
    const reply = await app.inject('/stats')
    const { err, id } = errors.at(-1) ?? {}
    expect(err).toBe(failure)
    expect(reply.json()).toEqual({
      status: 500,
      title: 'Internal Server Error',
      detail: `a fault of the server; its log has more, under ${id}`,
      code: 'internal',
    })
  }
})

test.each<[RedisDistroError['code'], string, string]>([
  ['store_away', 'READONLY You are at 10.0.0.5', 'Redis refuses: READONLY'],
  ['store_away', 'connect ECONNREFUSED 10.0.0.5:6379', 'Redis is away'],
  ['store_unknown', 'read ECONNRESET 10.0.0.5:6379', 'Redis did not answer'],
])(
  'an error of the store, %s, shows neither its address nor its words',
  async (code, words, says) => {
    const app = await api()
    const at = 'Redis at 10.0.0.5:6379/3'
    const messages = {
      'Redis is away': `${at} is away`,
      'Redis refuses: READONLY': `${at} refuses: ${words}`,
    }
    const doubt = `${at} did not answer (${words}); what was sent may have been done`
    const message = says in messages ? messages[says as keyof typeof messages] : doubt
    app.operator.failure = new RedisDistroError(code, message, { cause: new Error(words) })
    for (const [method, url] of [
      ['GET', '/stats'],
      ['POST', '/tasks/t/cancel'],
    ] as const) {
      const reply = await app.inject({ method, url })
      expect(reply.json()).toMatchObject({ status: 503, code: expect.stringMatching(/^store_/) })
      expect(reply.headers['retry-after']).toBe('1')
      expect(reply.json().detail).toContain(says)
      expect(reply.body).not.toContain('10.0.0.5')
    }
  },
)

test('a Redis that must not be used is the service being away, and no fault of it', async () => {
  const { log, errors } = keepingLog()
  const app = await api({}, { log })
  const words = 'Redis at 10.0.0.5:6379 has maxmemory-policy allkeys-lru'
  app.operator.failure = new RedisDistroError('unsafe_redis', words)
  const reply = await app.inject('/stats')
  expect(reply.json()).toMatchObject({ status: 503, code: 'unsafe_redis' })
  expect(reply.headers['retry-after']).toBe('1')
  expect(reply.json().detail).toBe('Redis has maxmemory-policy allkeys-lru')
  expect(errors).toEqual([])
})

test('readiness, which is open to all, names no host', async () => {
  const redis = 'Redis at 10.0.0.5:6379 refuses: NOPERM user app'
  const ready = async () => ({ ok: false, checks: { redis, workers: 'ok' } })
  const app = await api({}, { ready })
  const reply = await app.inject('/ready')
  expect(reply.statusCode).toBe(503)
  expect(reply.json()).toMatchObject({
    code: 'store_away',
    checks: { redis: 'does not answer as it should', workers: 'ok' },
  })
  expect(reply.body).not.toMatch(/10\.0|NOPERM/)
  const failing = await api({}, { ready: () => Promise.reject(new Error(redis)) })
  expect((await failing.inject('/ready')).body).not.toMatch(/10\.0|NOPERM/)
})
