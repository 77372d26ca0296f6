import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { choosePort } from '../../src/broker/embedded/redis-process.js'
import type { Finding } from '../../src/kernel/doctor/checks.js'
import { startSmtpSink } from '../plugins/email/smtp-sink.js'
import { startRedis, type TestRedis, testPrefix, testRedisServer } from '../support/redis.js'
import { makeProject, project, type RunOptions, run } from './bin.js'

vi.setConfig({ testTimeout: 60_000 })

const config = (prefix: string) => `
import { defineConfig } from 'redisdistro'
import email from 'redisdistro/plugins/email'
export default defineConfig({ redis: { prefix: '${prefix}' }, plugins: [email()], queues: { images: {} } })
`

let safe: TestRedis
let cwd = ''
let clean = async (): Promise<void> => undefined

beforeAll(async () => {
  safe = await startRedis(['--appendonly', 'yes'])
  const made = await makeProject({ 'redisdistro.config.ts': config(testPrefix()) })
  cwd = made.directory
  clean = made.clean
})
afterAll(() => Promise.all([safe.stop(), clean()]))

interface Report {
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

/** What the doctor prints as JSON, which must be all of its output, and how it ends. */
async function examine(options: RunOptions = {}) {
  const env = { REDIS_URL: safe.url, ...options.env }
  const { code, stdout, stderr } = await run(['doctor', '--json'], { cwd, ...options, env })
  expect(stderr).toBe('')
  const { ok, findings }: Report = JSON.parse(stdout)
  expect(code).toBe(ok ? 0 : 1)
  const of = (check: string) => findings.filter((finding) => finding.check === check)
  const dangers = findings.filter(({ verdict }) => verdict === 'danger').map(({ check }) => check)
  return { ok, stdout, of, dangers, checks: [...new Set(findings.map(({ check }) => check))] }
}

test('a set-up that loses nothing passes, each check in its place', async () => {
  const { ok, checks, of } = await examine()
  expect(ok).toBe(true)
  expect(checks).toEqual([
    ...['config', 'store', 'version', 'role', 'persistence', 'eviction', 'memory', 'retention'],
    ...['replicas', 'durability', 'rights', 'clock', 'latency', 'queues', 'partitions', 'plugin'],
    'telemetry',
  ])
  expect(of('store')[0]).toMatchObject({
    verdict: 'ok',
    found: expect.stringContaining('Redis at'),
  })
  expect(of('plugin')[0]?.found).toMatch(/'email' loads \(email\); mails are not sent/)
})

test('what loses tasks is a danger, and told with what to do', async () => {
  const bad = await startRedis(['--maxmemory-policy', 'allkeys-lru'])
  onTestFinished(() => bad.stop())
  const { ok, of, dangers } = await examine({ env: { REDIS_URL: bad.url } })
  expect(ok).toBe(false)
  expect(dangers).toEqual(['store', 'persistence', 'eviction'])
  expect(of('eviction')[0]?.do).toMatch(/noeviction/)
  // The store is refused, and the rest is told all the same.
  expect(of('latency')).toHaveLength(1)
  expect(of('plugin')).toHaveLength(1)
})

test('a Redis that is away is said to be so, and no secret is shown', async () => {
  const sink = await startSmtpSink({ onLogin: () => '535 no such user' })
  onTestFinished(() => sink.stop())
  const away = await choosePort(0)
  const { dangers, of, stdout } = await examine({
    env: {
      REDIS_URL: `redis://someone:first-secret@127.0.0.1:${away}`,
      SMTP_URL: sink.url.replace('//', '//someone:second-secret@'),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${away}`,
    },
  })
  expect(dangers).toEqual(['store'])
  expect(of('store')[0]?.found).toMatch(/cannot be reached: .*ECONNREFUSED.*REDIS_URL/)
  expect(of('plugin')[0]).toMatchObject({ verdict: 'warning', found: expect.stringMatching(/535/) })
  expect(of('telemetry')[0]).toMatchObject({ verdict: 'warning' })
  expect(stdout).not.toMatch(/(first|second)-secret/)
})

test('a config that cannot be used is a danger, and a flag that cannot is wrong use', async () => {
  const broken = await project({ '.redisdistrorc.json': '{ "queus": {} }' })
  const { dangers, of, checks } = await examine({ cwd: broken })
  expect([dangers, checks]).toEqual([['config'], ['config']])
  expect(of('config')[0]?.found).toMatch(/did you mean 'queues'/)
  const wrong = await run(['doctor', '--redis-url', 'nowhere'], { cwd })
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
})

test('of the embedded store it says what that means, and of the one in this process too', async () => {
  const bare = await project({ 'redisdistro.config.ts': 'export default {}' })
  const env = { REDIS_URL: '', REDISDISTRO_REDIS_SERVER: testRedisServer() }
  const embedded = await examine({ cwd: bare, env })
  expect(embedded.ok).toBe(true)
  expect(embedded.of('store')[0]?.found).toMatch(/embedded redis-server.*this machine/)
  expect(embedded.checks).toContain('disk')
  const inside = await examine({ cwd: bare, env: { REDIS_URL: '', PATH: bare } })
  expect(inside.dangers).toEqual(['store'])
  expect(inside.of('store')[0]?.found).toMatch(/nothing survives a restart/)
})

test('tasks without a worker are a warning, and for people it is a page', async () => {
  const mail = '{"to":"a@example.com","subject":"Hi","body":"Hello"}'
  const env = { REDIS_URL: safe.url }
  expect((await run(['enqueue', 'email', mail], { cwd, env })).code).toBe(0)
  const { code, stdout } = await run(['doctor'], { cwd, env })
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^warning {2}queues: queue 'default' has 1 task and no live worker\n {9}why: .*\n {9}do: {2}start one: redisdistro start --worker --queues default$/m,
  )
  expect(stdout).toMatch(
    /\n\n\d+ findings: 0 dangers, \d warnings? \(.*queues\)\. Nothing here loses tasks\.\n$/,
  )
})
