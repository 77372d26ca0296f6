import type { FastifyInstance } from 'fastify'
import type { Log } from '../telemetry/log.js'
import { describe } from './openapi/describe.js'
import { problemOf, sendProblem } from './problem.js'

/** What was looked at, each `ok` or what is wrong with it. */
export interface Readiness {
  readonly ok: boolean
  readonly checks: Readonly<Record<string, string>>
}

export interface HealthParts {
  ready(): Promise<Readiness>
  readonly log: Log
}

/**
 * What anyone may hear: Redis's own words may name hosts and users, and are for the log.
 */
function told({ ok, checks }: Readiness, log: Log): Readiness {
  const { redis } = checks
  if (redis === undefined || redis === 'ok') return { ok, checks }
  log.debug('Redis is not ready', { reason: redis })
  return { ok, checks: { ...checks, redis: 'does not answer as it should' } }
}

async function look({ ready, log }: HealthParts): Promise<Readiness> {
  try {
    return told(await ready(), log)
  } catch (error) {
    log.warn('readiness could not be found out', { err: error })
    return { ok: false, checks: { ready: 'not known; its log has more' } }
  }
}

/** `/health`, this process is up, and `/ready`, it can do its work. Open to everyone. */
export function healthRoutes(app: FastifyInstance, parts: HealthParts): void {
  const health = describe({
    summary: 'Whether the process is up',
    tags: ['service'],
    access: 'open',
    answers: { 200: 'Health' },
  })
  const readiness = describe({
    summary: 'Whether it can do its work',
    detail: '503 names what it cannot in `checks`.',
    tags: ['service'],
    access: 'open',
    answers: { 200: 'Readiness' },
    problems: ['store_away', 'closed'],
  })

  app.get('/health', health, async () => ({ status: 'ok' }))

  app.get('/ready', readiness, async (_request, reply) => {
    const { ok, checks } = await look(parts)
    if (ok) return { status: 'ok', checks }
    const failing = Object.entries(checks).filter(([, verdict]) => verdict !== 'ok')
    const detail = failing.map(([name, verdict]) => `${name}: ${verdict}`).join('; ')
    const code = failing.some(([name]) => name === 'redis') ? 'store_away' : 'closed'
    return sendProblem(reply, problemOf(code, detail || 'not ready', { checks }))
  })
}
