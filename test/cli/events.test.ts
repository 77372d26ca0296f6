import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Stage } from '../broker/stage.js'
import { startRedis, testRedisUrl, until } from '../support/redis.js'
import { project, run, startBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 })

/** A store, and the folder of a project that lies in it. */
async function makeProject() {
  const stage = new Stage({ url: testRedisUrl() })
  await stage.open()
  onTestFinished(() => stage.broker.close())
  const cwd = await project({
    'redisdistro.config.ts': `
export default { redis: { url: '${testRedisUrl()}', prefix: '${stage.prefix}' }, http: false }
`,
  })
  return { stage, cwd }
}

test('events are shown as they happen, in words or a document a line, until it is told to stop', async () => {
  const { stage, cwd } = await makeProject()
  const words = startBin(['events', '--type', 'noop'], { cwd })
  const lines = startBin(['events', '--json', '--queue', 'default'], { cwd })
  const heard = (text: string) => [words, lines].every((each) => each.output().includes(text))
  // Its clock is the test's, by which nobody would listen for long.
  stage.now = Date.now()
  await until(async () => (await stage.add()) && heard('noop'), {
    timeout: 40_000,
    describe: 'both to hear of a task',
  })
  const id = await stage.add()
  await stage.broker.cancel(stage.partition, [id])
  await until(() => heard('cancelled'))
  expect(words.output()).toMatch(new RegExp(`cancel +cancelled +${id} +noop +default`))
  const documents = lines.output().trim().split('\n')
  expect(JSON.parse(documents.at(-1) ?? '')).toEqual({
    id,
    type: 'noop',
    queue: 'default',
    transition: 'cancel',
    state: 'cancelled',
    at: new Date(stage.now).toISOString(),
  })
  for (const { child } of [words, lines]) child.kill('SIGINT')
  expect(await Promise.all([words.ended, lines.ended])).toEqual([0, 0])
})

test('a queue that is not there is told', async () => {
  const { cwd } = await makeProject()
  const { code, stdout, stderr } = await run(['events', '--queue', 'nowhere'], { cwd })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain("no queue 'nowhere'")
})

test('a right that its Redis user lacks ends it with its name', async () => {
  const server = await startRedis()
  const redis = new Redis(server.url)
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
  })
  await redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-xread')
  const url = server.url.replace('//', '//app:secret@')
  const cwd = await project({
    'redisdistro.config.ts': `
export default { redis: { url: '${url}' }, http: false }
`,
  })
  const { code, stdout, stderr } = await run(['events', '--json'], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/\[no_rights\].*'xread'/)
})
