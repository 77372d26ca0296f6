import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { pidsOf } from '../broker/embedded/rig.js'
import { isAlive, until } from '../support/redis.js'
import { makeProject, reach } from './acting.js'
import { bin, project, startBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 60_000 })

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

test('a handler that does not end holds a stop up for the grace and no second more', async () => {
  const made = await makeProject("{ shutdownGrace: '1s' }", { url: 'embedded' })
  const start = startBin(['start'], { ...made, detached: true })
  await start.ready()
  await reach(made, 'forever', 'active')
  const { redis } = pidsOf(join(made.cwd, '.redisdistro'))
  // As a terminal sends Ctrl-C: to the whole group of processes.
  const stoppedAt = performance.now()
  process.kill(-(start.child.pid ?? 0), 'SIGINT')
  expect(await start.ended).toBe(0)
  await until(() => !isAlive(redis), { describe: 'the embedded redis-server to end' })
  expect(performance.now() - stoppedAt).toBeLessThan(2500)
  expect(start.output()).toContain('it is given back unspent')
})

test('what npm started stops when npm is ended without a word to it', async () => {
  const made = await makeProject()
  const shell = `"${process.execPath}" "${bin}" start; true`
  const start = startBin([], { cwd: made.cwd, shell, env: { npm_lifecycle_event: 'start' } })
  const kernel = await start.ready()
  start.child.kill('SIGTERM')
  await until(() => !isAlive(kernel), { describe: 'the kernel to stop' })
  expect(start.output()).toContain('Stopping on SIGTERM')
})
