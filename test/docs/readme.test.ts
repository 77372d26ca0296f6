import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createKernel, type Kernel, type Started, type Task } from 'redisdistro'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { makeProject } from '../cli/bin.js'
import { read } from '../house/source.js'
import { project } from '../kernel/project.js'
import { keepingLog } from '../kernel/stage.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { until } from '../support/until.js'
import { fencesOf, filesOf, runFile } from './page.js'
import { typeErrors } from './types.js'

const files = filesOf('README.md')
const snippets = fencesOf('README.md')
const client = snippets.find(({ text }) => text.includes('createClient('))?.text ?? ''

let redis: TestRedis
let kernel: Kernel
let started: Started
let folder: Awaited<ReturnType<typeof makeProject>>

beforeAll(async () => {
  redis = await startRedis()
  folder = await makeProject(files)
  const env = { REDIS_URL: redis.url, PORT: '0', SMTP_URL: 'outbox' }
  const { directory } = folder
  kernel = await createKernel(undefined, { directory, env, log: keepingLog() })
  started = await kernel.start()
})

afterAll(async () => {
  await kernel?.stop()
  await redis?.stop()
  await folder?.clean()
})

/** The curl commands of the page, as the requests that they make of this test's kernel. */
function curlsOf(text: string): { url: string; init: RequestInit }[] {
  const commands = text.replace(/\\\n\s*/g, ' ').split('\n')
  return commands
    .filter((line) => line.startsWith('curl '))
    .map((line) => {
      const [, path = ''] = /http:\/\/127\.0\.0\.1:3000([^\s']*)/.exec(line) ?? []
      const header = /-H '([^:]+): ([^']+)'/.exec(line)
      const body = /-d '([^']+)'/.exec(line)?.[1]
      const method = /-X (\w+)/.exec(line)?.[1] ?? (body === undefined ? 'GET' : 'POST')
      const headers = header ? { [header[1] ?? '']: header[2] ?? '' } : {}
      const init = body === undefined ? { method, headers } : { method, headers, body }
      return { url: `${started.url}${path}`, init }
    })
}

const curls = () =>
  snippets.filter(({ language }) => language === 'bash').flatMap(({ text }) => curlsOf(text))

const send = (path: RegExp, nth = 0) => {
  const found = curls().filter(({ url }) => path.test(url))[nth]
  if (found === undefined) throw new Error(`the README has no curl of ${path}`)
  return fetch(found.url, found.init)
}

test('its TypeScript is correct', () => {
  expect(Object.keys(files)).toEqual(['plugins/thumbnail.ts', 'redisdistro.config.ts'])
  expect(typeErrors({ ...files, 'client.ts': client })).toEqual([])
}, 60_000)

test('the first email is answered as it says, and lies in the outbox', async () => {
  const shown = JSON.parse(snippets.find(({ language }) => language === 'json')?.text ?? '{}')
  const response = await send(/\/enqueue\/email$/)
  expect(response.status).toBe(202)
  const answer = (await response.json()) as { taskId: string }
  expect(Object.keys(answer)).toEqual(Object.keys(shown))
  expect(answer).toMatchObject({ ...shown, taskId: answer.taskId })
  const look = curls().find(({ url }) => url.includes('?wait='))
  const url = look?.url.replace('<taskId>', answer.taskId) ?? ''
  const task = (await (await fetch(url)).json()) as Task
  expect(task.state).toBe('completed')
  const outbox = join(folder.directory, '.redisdistro/outbox')
  expect(await readdir(outbox)).toContain(`${answer.taskId}.eml`)
})

test('the later email is scheduled for eight in the morning', async () => {
  const response = await send(/\/enqueue\/email$/, 1)
  const answer = (await response.json()) as { state: string; runAt: string; tz: string }
  expect(answer).toMatchObject({ state: 'scheduled', tz: 'Europe/Rome' })
  const local = new Intl.DateTimeFormat('en', {
    timeZone: 'Europe/Rome',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  })
  expect(local.format(new Date(answer.runAt))).toBe('08:00')
})

test('another service enqueues by the catalogue', async () => {
  vi.stubEnv('REDIS_URL', redis.url)
  onTestFinished(() => void vi.unstubAllEnvs())
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  onTestFinished(() => log.mockRestore())
  await runFile(join(await project({ 'client.ts': client }), 'client.ts'))
  const [id, state] = log.mock.calls[0] ?? []
  expect(state).toBe('scheduled')
  const task = await kernel.client.task(String(id))
  expect(task).toMatchObject({ type: 'email', tags: ['welcome'] })
})

test('its other requests are routes', async () => {
  const { id } = await kernel.client.enqueue(
    'email',
    { to: 'a@example.com', subject: 'a', body: 'b' },
    { delay: '1h' },
  )
  const others = curls().filter(({ url }) => !/\/enqueue\//.test(url))
  expect(others.length).toBeGreaterThan(3)
  for (const { url, init } of others) {
    const response = await fetch(url.replace('<taskId>', id).replace('30s', '1ms'), init)
    expect([url, response.status]).toEqual([url, 200])
  }
  expect(await until(() => kernel.client.task(id))).toMatchObject({ state: 'cancelled' })
})

test('its table of variables has all that the kernel and the email plugin read', () => {
  const listed = [...read('README.md').matchAll(/^\| (`[A-Z_` ]+`) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
  )
  const example = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
  const own = example.filter((name) => !name?.startsWith('OTEL_'))
  expect([...listed].sort()).toEqual([...own].sort())
})
