import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { Task } from 'redisdistro'
import { expect, onTestFinished, test, vi } from 'vitest'
import { newLife } from '../../src/core/life.js'
import { isAlive, testPrefix, testRedisUrl, until } from '../support/redis.js'
import { makeProject, reach } from './acting.js'
import { bin, startBin } from './bin.js'

// Each command is a process of its own, a second long where the machine is busy.
vi.setConfig({ testTimeout: 90_000 })

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

test('what a killed kernel was running is taken back by the next one, long before its lease is over', async () => {
  const made = await makeProject("{ lease: '10m' }")
  const start = startBin(['start', '--worker'], made)
  await start.ready()
  // The exit comes at once, twice; then it runs alone, and is buried.
  const task = await reach(made, 'exit', 'dead')
  expect(task).toMatchObject({ attempts: [{ outcome: 'bury', error: { code: 'crashed' } }] })
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

test('a kernel whose supervisor is killed stops by itself', async () => {
  const start = startBin(['start'], await makeProject())
  const kernel = await start.ready()
  start.child.kill('SIGKILL')
  await until(() => !isAlive(kernel), { describe: 'the kernel to stop' })
})

test('a kernel whose supervisor is gone before it was loaded ends by itself', async () => {
  const { cwd, env } = await makeProject()
  const child = fork(bin, ['start', '--worker'], {
    cwd,
    env: { ...process.env, ...env, REDISDISTRO_KERNEL: newLife() },
    stdio: 'ignore',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  child.disconnect()
  expect(await ended).toEqual([0, null])
})

test('a task whose error nobody catches is named, and buried after two deaths of its own', async () => {
  const made = await makeProject("{ lease: '1s', shutdownGrace: '200ms' }")
  const start = startBin(['start'], made)
  await start.ready()
  const task = await reach(made, 'poison', 'dead')
  expect(task).toMatchObject({
    attempts: [{ outcome: 'bury', error: { code: 'crashed' } }],
  })
  expect(JSON.stringify(task)).toContain('a stray error')
  const { id } = task as { id: string }
  expect(start.output()).toContain(`"running":["${id}"],"msg":"These tasks were running here then"`)
  expect(await reach(made, 'pass', 'completed')).toMatchObject({ state: 'completed' })
})

test('a handler that ends its process with 0 is a crash, in the child that runs it alone too', async () => {
  const made = await makeProject("{ lease: '1s' }")
  const start = startBin(['start', '--worker'], made)
  await start.ready()
  const task = await reach(made, 'exit', 'dead')
  expect(JSON.stringify(task)).toContain('the process that ran it alone ended by exit code 0')
  expect(start.output()).toContain('the kernel ended with exit code 0; a new one starts in 1s')
  expect(await reach(made, 'pass', 'completed')).toMatchObject({ state: 'completed' })
})

test('a task that runs alone in a process of its own can enqueue another', async () => {
  const made = await makeProject("{ lease: '1s' }")
  const start = startBin(['start', '--worker'], made)
  await start.ready()
  const { id, result } = (await reach(made, 'pass-on', 'completed')) as Task
  expect(result).toBe(`of-${id}`)
  const next = async () => (await made.json(['task', 'show', `of-${id}`]))['state'] === 'completed'
  await until(next, { timeout: 20_000, describe: 'the task that it enqueued' })
})

test('a stop of the whole group of processes gives back what ran alone, and buries nothing', async () => {
  const prefix = testPrefix()
  const made = await makeProject("{ shutdownGrace: '1s' }", { url: testRedisUrl(), prefix })
  const { taskId } = await made.json(['enqueue', 'hold-alone'])
  const redis = new Redis(testRedisUrl())
  onTestFinished(() => redis.disconnect())
  // Suspect, and buried by one more death.
  await redis.hset(`${prefix}:{default}:attempts`, String(taskId), '0 2 1 0\n')
  const start = startBin(['start'], { ...made, detached: true })
  const show = () => made.json(['task', 'show', String(taskId)])
  await until(async () => (await show())['progress'] === 'alone', {
    timeout: 40_000,
    describe: 'the task to run alone',
  })
  process.kill(-Number(start.child.pid), 'SIGTERM')
  expect(await start.ended).toBe(0)
  expect(await show()).toMatchObject({ state: 'waiting', attempts: [] })
})
