import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { makeProject, project, type RunOptions, run, startBin } from '../cli/bin.js'
import { startSmtpSink } from '../plugins/email/smtp-sink.js'
import type { TestRedis } from '../support/redis.js'
import { until } from '../support/until.js'
import { careless, everythingIn, filesIn, guardedRedis, secrets, shownIn } from './secrets-stage.js'

const smtpOf = (password: string, port: number) =>
  `smtp://mailer:${encodeURIComponent(password)}@127.0.0.1:${port}`

const dotenv = (port: number) => `
API_TOKEN=${secrets.apiToken},${secrets.secondApiToken}
READ_TOKEN=${secrets.readToken}
SMTP_URL=${smtpOf(secrets.smtpUrl, port)}
PAYMENT_API_KEY=${secrets.dotenvKey}
`

const config = (port: number) => `
import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'
export default defineConfig({
  redis: { url: process.env.REDIS_URL },
  plugins: [
    email({ smtp: '${smtpOf(secrets.smtpOption, port)}' }),
    ['./careless.ts', {
      apiKey: '${secrets.pluginOption}',
      deep: { urls: ['https://someone:${secrets.pluginOption}@example.com/?api_key=${secrets.dotenvKey}'] },
    }],
  ],
  tasks: { email: { retry: { attempts: 1 } } },
  http: { port: 0, tokens: { read: '${secrets.configToken}' } },
  worker: { lease: '1s', shutdownGrace: '1s' },
})
`

const written = ['.env', 'redisdistro.config.ts', 'careless.ts']

let redis: TestRedis
let url: string
let wrongUrl: string
let directory: string
let clean: () => Promise<void>
let sink: Awaited<ReturnType<typeof startSmtpSink>>

beforeAll(async () => {
  const guarded = await guardedRedis()
  ;({ redis, url, wrongUrl } = guarded)
  sink = await startSmtpSink({ onLogin: () => `535 5.7.8 not with ${secrets.smtpOption}` })
  const files = {
    '.env': dotenv(sink.port),
    'redisdistro.config.ts': config(sink.port),
    'careless.ts': careless,
  }
  ;({ directory, clean } = await makeProject(files))
})
afterAll(async () => {
  await redis.stop()
  await sink.stop()
  await clean()
})

const env = (more: Record<string, string> = {}): Record<string, string> => ({
  REDIS_URL: url,
  ENQUEUE_TOKEN: secrets.enqueueToken,
  LOG_LEVEL: 'trace',
  ...more,
})

const inProject = (more: Record<string, string> = {}): RunOptions => ({
  cwd: directory,
  env: env(more),
})

async function start(more: Record<string, string> = {}) {
  const started = startBin(['start', '--port', '0'], inProject(more))
  await started.ready()
  const address = () => {
    const found = [...started.output().matchAll(/"url":"(http:[^"]+)"/g)].at(-1)?.[1]
    if (found === undefined) throw new Error(started.output())
    return found
  }
  return { ...started, address }
}

interface Answer {
  readonly status: number
  readonly text: string
}

async function ask(route: string, base: string, token: string = secrets.apiToken): Promise<Answer> {
  const [method = 'GET', path = '/', body] = route.split(' ')
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const { status } = response
  const kept = [...response.headers].map((pair) => pair.join(': ')).join('\n')
  return { status, text: `${kept}\n${await response.text()}` }
}

async function settled(base: string, type: string, body = '{}'): Promise<Record<string, unknown>> {
  const { text } = await ask(`POST /enqueue/${type} ${body}`, base)
  const id = /"taskId":"([^"]+)"/.exec(text)?.[1]
  if (id === undefined) throw new Error(text)
  const answer = await ask(`GET /tasks/${id}?wait=20s`, base)
  return JSON.parse(answer.text.slice(answer.text.indexOf('\n{'))) as Record<string, unknown>
}

const mail = JSON.stringify({ to: 'ann@example.com', subject: 'Hi', body: 'Hello' })

const routes = [
  'GET /health',
  'GET /ready',
  'GET /metrics',
  'GET /stats',
  'GET /workers',
  'GET /queues',
  'GET /queues/default',
  'GET /queues/none',
  'GET /tasks?limit=1000',
  'GET /tasks?state=dead&limit=1000',
  'GET /tasks/none',
  'GET /dead-letters',
  'GET /dead-letters/dead',
  'GET /nothing',
  'POST /enqueue/none {}',
  'POST /enqueue/email {}',
  'POST /enqueue/email {',
  'POST /enqueue/email/batch [{},3]',
  'POST /enqueue [{"type":"none","payload":{}}]',
  'POST /queues/default/pause',
  'POST /queues/default/resume',
  'POST /tasks/none/cancel',
  'DELETE /dead-letters/none',
]

describe('a kernel with careless plugins', { timeout: 60_000 }, () => {
  test('neither its log, its answers, Redis nor its files hold a secret', async () => {
    const { output, address } = await start()
    const base = address()
    const ends = await Promise.all([
      ...['throws', 'throws-text', 'fatal', 'logs'].map((type) => settled(base, type)),
      settled(base, 'email', mail),
    ])
    expect(ends.map(({ state }) => state)).toEqual([
      ...['dead', 'dead', 'dead', 'completed'],
      'dead',
    ])
    // They say what happened all the same.
    expect(JSON.stringify(ends[0])).toContain('cannot reach redis://')
    expect(JSON.stringify(ends[4])).toContain('535 5.7.8 not with [redacted]')
    const answers: string[] = [JSON.stringify(ends)]
    const tokens = [secrets.apiToken, secrets.readToken, secrets.enqueueToken, 'wrong']
    for (const route of routes) {
      for (const token of tokens) answers.push((await ask(route, base, token)).text)
    }
    expect(shownIn(answers.join('\n'))).toEqual([])
    expect(output()).toContain('with {')
    expect(shownIn(output())).toEqual([])
    expect(shownIn(await everythingIn(redis.url))).toEqual([])
    expect(shownIn(await filesIn(directory, written))).toEqual([])
  })

  test.each(['crash', 'reject', 'reject-text'])('nor do its last words after %s', async (type) => {
    const { output, address, ready, child, ended } = await start()
    await ask(`POST /enqueue/${type} {}`, address())
    await ready(2)
    expect(output()).toContain('An error that nobody caught')
    expect(output()).toContain('[redacted]')
    child.kill('SIGTERM')
    await ended
    expect(shownIn(output())).toEqual([])
  })

  test('nor do the last words of a process that ran a task alone', {
    timeout: 60_000,
  }, async () => {
    const { output, address } = await start()
    const { text } = await ask('POST /enqueue/poison {}', address())
    const id = /"taskId":"([^"]+)"/.exec(text)?.[1]
    const options = inProject()
    const dead = await until(
      async () => {
        const { stdout } = await run(['task', 'show', String(id), '--json'], options)
        return stdout.includes('"dead"') && stdout
      },
      { timeout: 50_000, describe: 'the poison to be dead' },
    )
    expect(dead).toContain('its last words')
    expect(dead).toContain('[redacted]')
    expect(shownIn(dead)).toEqual([])
    expect(shownIn(output())).toEqual([])
    expect(shownIn(await everythingIn(redis.url))).toEqual([])
  })

  test('nor what it answers while Redis is away', async () => {
    const guarded = await guardedRedis()
    onTestFinished(() => guarded.redis.stop())
    const { output, address } = await start({ REDIS_URL: guarded.url })
    await guarded.redis.kill()
    const base = address()
    const answers = await Promise.all(routes.map((route) => ask(route, base)))
    expect(answers.some(({ status }) => status === 503)).toBe(true)
    expect(shownIn(answers.map(({ text }) => text).join('\n'))).toEqual([])
    await until(() => /trying again|is away/.test(output()))
    expect(shownIn(output())).toEqual([])
  })
})

const commands = [
  ['config', 'print'],
  ['config', 'print', '--json'],
  ['stats'],
  ['worker', 'list', '--json'],
  ['queue', 'show', 'none'],
  ['task', 'list', '--limit', '1000', '--json'],
  ['dead', 'show', 'dead'],
  ['enqueue', 'email', '{'],
  ['enqueue', 'none'],
]

describe('no command shows a secret', () => {
  const all = async (lines: readonly (readonly string[])[], more: Record<string, string>) => {
    let said = ''
    for (const args of lines) {
      const { stdout, stderr } = await run(args, inProject(more))
      said += `${stdout}\n${stderr}\n`
    }
    return said
  }

  test('on a Redis that answers', { timeout: 120_000 }, async () => {
    const said = await all(commands, {})
    expect(said).toContain('redis://app:hidden@127.0.0.1')
    expect(shownIn(said)).toEqual([])
  })

  test('with a wrong password of Redis, in the environment and as a flag', {
    timeout: 120_000,
  }, async () => {
    const { output } = startBin(['start'], inProject({ REDIS_URL: wrongUrl }))
    const said = await all([['stats'], ['config', 'print']], { REDIS_URL: wrongUrl })
    await until(() => output().includes('WRONGPASS'))
    const flagged = await all([['enqueue', 'email', mail, '--redis-url', wrongUrl]], {})
    expect(said + flagged).toContain('store_away')
    expect(shownIn(said + flagged + output())).toEqual([])
  })

  test('nor what Node prints of an error that a config leaves behind', async () => {
    const cwd = await project({
      'redisdistro.config.ts': `
        setTimeout(() => { throw Object.assign(new Error(process.env.REDIS_URL), { env: process.env }) })
        await new Promise((resolve) => setTimeout(resolve, 200))
        export default {}`,
    })
    const { code, stderr } = await run(['config', 'print'], { cwd, env: env() })
    expect(code).toBe(1)
    expect(stderr).toContain('an error that nobody caught')
    expect(shownIn(stderr)).toEqual([])
  })
})
