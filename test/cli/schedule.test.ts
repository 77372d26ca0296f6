import { beforeAll, expect, test, vi } from 'vitest'
import { testPrefix, testRedisUrl } from '../support/redis.js'
import { makeProject, run as runBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 })

let cwd = ''

beforeAll(async () => {
  const { directory, clean } = await makeProject({
    'redisdistro.config.ts': `
import { defineConfig, definePlugin, defineTask } from 'redisdistro'
import { z } from 'zod'
const greet = defineTask({ type: 'greet', payload: z.object({ name: z.string() }), handle: () => 1 })
export default defineConfig({
  redis: { url: '${testRedisUrl()}', prefix: '${testPrefix()}' },
  plugins: [definePlugin({ name: 'acts', tasks: [greet] })],
  schedules: { inConfig: { task: 'greet', payload: { name: 'Ann' }, cron: '0 0 29 2 *' } },
  http: false,
})
`,
    'rule.json': '{ "task": "greet", "payload": { "name": "Ben" }, "every": "1h" }',
  })
  cwd = directory
  return clean
})

async function succeed(args: readonly string[], input?: string): Promise<string> {
  const options = input === undefined ? { cwd } : { cwd, input }
  const { code, stdout, stderr } = await runBin(['schedule', ...args], options)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

test('a schedule is put, shown, paused, run and removed', async () => {
  expect(await succeed(['put', 'hello', '@rule.json'])).toMatch(
    /^schedule 'hello' added \(active, next at \d{4}-.*:00:00\.000Z\)\n$/,
  )
  expect(await succeed(['run', 'hello'])).toMatch(/^hello:run:\S+ enqueued\n$/)
  expect(await succeed(['pause', 'hello'])).toBe("schedule 'hello' is paused\n")
  const sheet = await succeed(['show', 'hello'])
  expect(sheet).toMatch(/^when +every 1h \(UTC\)$/m)
  expect(sheet).toMatch(/^state +paused$/m)
  expect(sheet).toMatch(/enqueued +run now +hello:run:/)
  const { items } = JSON.parse(await succeed(['list', '--json']))
  expect(items).toMatchObject([{ id: 'hello', state: 'paused', runs: 0 }])
  expect(await succeed(['remove', 'hello'])).toBe("schedule 'hello' is removed\n")
  expect(await succeed(['list'])).toBe('no schedules\n')
})

test('a list goes on where the page before ended', async () => {
  for (const id of ['one', 'two']) await succeed(['put', id, '@rule.json'])
  const { stdout, stderr } = await runBin(['schedule', 'list', '--limit', '1'], { cwd })
  expect(stdout).toMatch(/^one /m)
  expect(stdout).not.toMatch(/^two /m)
  const [, cursor = ''] = /^There are more: --cursor (\S+)\n$/.exec(stderr) ?? []
  expect(JSON.parse(await succeed(['list', '--json', '--cursor', cursor]))).toMatchObject({
    items: [{ id: 'two' }],
    cursor: null,
  })
  for (const id of ['one', 'two']) await succeed(['remove', id])
})

test('times are previewed: of one in the config, and of a rule in hand', async () => {
  const times = (await succeed(['preview', 'inConfig', '-n', '2'])).trim().split('\n')
  expect(times).toHaveLength(2)
  for (const time of times) expect(time).toMatch(/^\d{4}-02-29T00:00:00\.000Z$/)
  const rule = { task: 'greet', every: '15m', endsAt: '2001-01-01T00:00:00Z' }
  expect(await succeed(['preview', '-'], JSON.stringify(rule))).toBe('it does not come again\n')
})

test('what is wrong is told with the right exit code', async () => {
  const bad = await runBin(['schedule', 'put', 'bad', '{"task":"greet","cron":"daily"}'], { cwd })
  expect(bad.code).toBe(2)
  expect(bad.stderr).toMatch(/\[bad_option\].*cron: "daily" is not a cron expression/)
  const unknown = await runBin(['schedule', 'show', 'none'], { cwd })
  expect(unknown.code).toBe(1)
  expect(unknown.stderr).toMatch(/\[unknown_schedule\].*no schedule 'none' exists/)
})
