import { expect, test, vi } from 'vitest'
import { isAlive, testPrefix, testRedisUrl, until } from '../support/redis.js'
import { project, type RunOptions, run, startBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 })

/** Tasks that behave as their type says. `hold` runs until its process is told to stop. */
const tasks = `
import { definePlugin, defineTask } from 'redisdistro'
import { z } from 'zod'
const task = (type, handle) => defineTask({ type, payload: z.object({}), retry: { attempts: 1 }, handle })
export default definePlugin({ name: 'acts', tasks: [
  task('pass', () => process.pid),
  task('hold', (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))),
  task('block', () => { console.error('blocked'); for (;;); }),
  task('stray', () => { setTimeout(() => { throw new Error('a stray error') }) }),
] })
`

interface Project {
  readonly cwd: string
  json(args: readonly string[], options?: RunOptions): Promise<Record<string, unknown>>
}

async function makeProject(worker = '{}'): Promise<Project> {
  const redis = JSON.stringify({ url: testRedisUrl(), prefix: testPrefix() })
  const cwd = await project({
    'tasks.ts': tasks,
    'redisdistro.config.ts': `export default { redis: ${redis}, plugins: ['./tasks.ts'], http: { port: 0 }, worker: ${worker} }`,
  })
  const json = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await run([...args, '--json'], { cwd })
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  return { cwd, json }
}

/** Enqueues a task and waits for the state that it shall reach. */
async function reach({ json }: Project, type: string, state: string): Promise<unknown> {
  const { taskId } = await json(['enqueue', type])
  const look = async () => {
    const task = await json(['task', 'show', String(taskId)])
    return task['state'] === state && task
  }
  return await until(look, { describe: `a task '${type}' to be ${state}` })
}

const urlOf = (output: string): string => /"url":"([^"]+)"/.exec(output)?.[1] ?? ''

test('start says what it runs on, serves the API, and ends with 0 on SIGTERM', async () => {
  const made = await makeProject()
  const start = startBin(['start'], made)
  const kernel = await start.ready()
  expect(start.output()).toMatch(/"roles":\["producer","worker"\].*"store":"Redis at 127/)
  expect(start.output()).toMatch(/"queues":\[\{"name":"default","concurrency":10\}\]/)
  const ready = await fetch(`${urlOf(start.output())}/ready`)
  expect(ready.status).toBe(200)
  expect(await reach(made, 'pass', 'completed')).toMatchObject({ result: kernel })
  start.child.kill('SIGTERM')
  expect(await start.ended).toBe(0)
  expect(isAlive(kernel)).toBe(false)
})

test('a kernel that is killed is replaced, and goes on with the work', async () => {
  const made = await makeProject()
  const start = startBin(['start', '--worker'], made)
  const first = await start.ready()
  process.kill(first, 'SIGKILL')
  const second = await start.ready(2)
  expect(second).not.toBe(first)
  expect(start.output()).toContain('the kernel was ended by SIGKILL; a new one starts in 1s')
  expect(await reach(made, 'pass', 'completed')).toMatchObject({ result: second })
  start.child.kill('SIGTERM')
  expect(await start.ended).toBe(0)
})

test('an error that nobody caught ends the kernel, and a new one starts', async () => {
  const made = await makeProject()
  const start = startBin(['start'], made)
  await start.ready()
  await reach(made, 'stray', 'completed')
  await start.ready(2)
  expect(start.output()).toContain('An error that nobody caught')
  expect(start.output()).toContain('a stray error')
  expect(start.output()).toContain('the kernel ended with exit code 1; a new one starts in 1s')
})

test('a boot that fails is told and not tried again', async () => {
  const cwd = await project({ '.redisdistrorc.json': '{ "queus": {} }' })
  const start = startBin(['start'], { cwd })
  expect(await start.ended).toBe(1)
  expect(start.output().match(/\[bad_config\]/g)).toHaveLength(1)
  expect(start.output()).toContain("did you mean 'queues'")
})

test('a role alone needs a store that others share', async () => {
  const cwd = await project({ '.redisdistrorc.json': '{ "http": { "port": 0 } }' })
  const start = startBin(['start', '--worker'], { cwd, env: { PATH: cwd } })
  expect(await start.ended).toBe(1)
  expect(start.output()).toContain('[no_store]')
})

test('a queue that is not in the config is wrong use', async () => {
  const made = await makeProject()
  const start = startBin(['start', '--worker', '--queues', 'default,nowhere'], made)
  expect(await start.ended).toBe(2)
  expect(start.output()).toMatch(/\[unknown_queue\].*nowhere/)
})

test('--json prints one document of what runs on stdout', async () => {
  const made = await makeProject()
  const start = startBin(['start', '--producer', '--json', '--log-level', 'warn'], made)
  const boot = await until(() => /^\{\n[\s\S]*^\}$/m.exec(start.output())?.[0])
  expect(JSON.parse(boot)).toMatchObject({ roles: ['producer'], queues: [] })
  start.child.kill('SIGINT')
  expect(await start.ended).toBe(0)
})

test('copies of a signal do not count as a second one', async () => {
  const made = await makeProject("{ shutdownGrace: '1s' }")
  const start = startBin(['start'], made)
  const kernel = await start.ready()
  await reach(made, 'hold', 'active')
  for (const pid of [kernel, start.child.pid ?? 0, start.child.pid ?? 0])
    process.kill(pid, 'SIGINT')
  expect(await start.ended).toBe(0)
})

test('a second signal ends at once, even where the event loop is blocked', async () => {
  const made = await makeProject()
  const start = startBin(['start'], made)
  const kernel = await start.ready()
  await made.json(['enqueue', 'block'])
  await until(() => start.output().includes('blocked'))
  await until(() => start.child.exitCode !== null || (start.child.kill('SIGINT') && false))
  expect(await start.ended).toBe(130)
  expect(isAlive(kernel)).toBe(false)
})

test('a kernel whose supervisor is killed stops by itself', async () => {
  const start = startBin(['start'], await makeProject())
  const kernel = await start.ready()
  start.child.kill('SIGKILL')
  await until(() => !isAlive(kernel), { describe: 'the kernel to stop' })
})

test('a signal that comes while the kernel boots ends it with 0', async () => {
  const cwd = await project({
    'redisdistro.config.mjs':
      "console.error('booting'); await new Promise((r) => setTimeout(r, 500)); export default {}",
  })
  const start = startBin(['start'], { cwd })
  await until(() => start.output().includes('booting'))
  start.child.kill('SIGTERM')
  expect(await start.ended).toBe(0)
  expect(start.kernels()).toEqual([])
})
