import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isolation } from '../../src/kernel/isolation.js'
import { isAlive, until } from '../support/redis.js'
import { alone, endsWithTest, isolationProject, pidsOf } from './isolation-stage.js'

// Each run is a process of its own, that loads a whole config.
vi.setConfig({ testTimeout: 60_000 })

// What the processes say goes to stderr, which is not of interest here.
beforeEach(() => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => write.mockRestore())
})

/** One run more than there are places, so that one which was never left is missed. */
const allPlaces = Array.from({ length: availableParallelism() + 1 }, (_, n) => n)

const pidOf = (file: string): Promise<number> =>
  until(() => pidsOf(file).at(-1), { timeout: 30_000, describe: 'a process to begin' })

const goneSoon = (pid: number) =>
  until(() => !isAlive(pid), { timeout: 15_000, describe: `process ${pid} to end` })

describe('a task that runs alone', () => {
  test('tells its outcome and its progress, from a process of its own', async () => {
    const { run, progress, begun } = await alone()
    expect(await run('progress')).toEqual({
      kind: 'ended',
      outcome: { name: 'complete', result: 'done' },
    })
    expect(progress).toEqual([{ half: true }])
    expect(begun()).toBe(1)
    const end = await run('pid')
    expect(end).toMatchObject({ outcome: { name: 'complete', result: expect.any(Number) } })
    expect(end).not.toMatchObject({ outcome: { result: process.pid } })
  })

  test('is heard, and leaves its place, while something that it started holds its output', async () => {
    const { run } = await alone()
    for (const _ of allPlaces) {
      const end = await run('daemon')
      expect(end).toMatchObject({ kind: 'ended', outcome: { name: 'complete' } })
      endsWithTest(end.kind === 'ended' && end.outcome.name === 'complete' && end.outcome.result)
    }
  })

  test('that blocks its loop for longer than worker.maxBlocked dies of it, and says so', async () => {
    const { run, begun } = await alone('block little')
    const end = await run('loop')
    expect(end).toMatchObject({
      kind: 'died',
      words: expect.stringMatching(/signal SIGKILL.*stood still for \d+ s \(worker\.maxBlocked\)/),
    })
    expect(begun()).toBe(1)
  })

  test('that dies is told with its last words, while something that it started holds its output', async () => {
    const { run, progress } = await alone()
    const end = await run('daemon, then die')
    endsWithTest(progress[0])
    expect(end).toEqual({
      kind: 'died',
      words: 'the process that ran it alone ended by exit code 3; its last words: my last words',
    })
  })

  test('is killed where it does not heed the word to stop', async () => {
    const { run, abort, file } = await alone()
    const end = run('loop')
    const pid = await pidOf(file)
    abort.abort(new Error('cancelled'))
    expect(await end).toMatchObject({ kind: 'died', words: expect.stringContaining('SIGKILL') })
    expect(isAlive(pid)).toBe(false)
  })

  test('may heed the word to stop, and is heard', async () => {
    const { run, abort, file } = await alone()
    const end = run('heed')
    await pidOf(file)
    abort.abort(new Error('cancelled'))
    expect(await end).toMatchObject({ kind: 'ended', outcome: { result: 'heeded' } })
  })

  test('goes on where a stop reaches the whole group, until its parent tells it to end', async () => {
    const { run, abort, file } = await alone()
    const end = run('heed')
    const pid = await pidOf(file)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.kill(pid, signal)
    abort.abort(new Error('the worker shuts down'))
    expect(await end).toMatchObject({ kind: 'ended', outcome: { result: 'heeded' } })
  })

  test('that lets a signal end it is told as stopped', async () => {
    const { run } = await alone()
    expect(await run('stop itself')).toEqual({
      kind: 'stopped',
      begun: true,
      words: 'the process that ran it alone ended by signal SIGTERM',
    })
  })

  test('is heard before its plugins are closed, and ends where they never are', async () => {
    const { run } = await alone('never close')
    const end = await run('pid')
    const pid = end.kind === 'ended' && end.outcome.name === 'complete' ? end.outcome.result : 0
    expect(isAlive(Number(pid))).toBe(true)
    await goneSoon(Number(pid))
  })

  test('is not disturbed by what its plugins tell a parent that they take for another', async () => {
    const { run } = await alone('talk')
    expect(await run('pid')).toMatchObject({ kind: 'ended', outcome: { name: 'complete' } })
  })
})

describe('a process whose handler never begins', () => {
  test('is killed when its time is over, and its place is left', async () => {
    const { run, file, begun } = await alone('hang', { startWithin: 3000 })
    for (const _ of allPlaces) {
      await expect(run('pid')).rejects.toThrow('its handler did not begin within 3000 ms')
      const pid = pidsOf(file).at(-1)
      if (pid !== undefined) expect(isAlive(pid)).toBe(false)
    }
    expect(begun()).toBe(0)
  })

  test('is told with its exit code and last words', async () => {
    const { run } = await alone('throw')
    for (const _ of allPlaces) {
      await expect(run('pid')).rejects.toThrow(/exit code 1 before the handler.*the pool is dry/s)
    }
  })

  test('is no process at all where its program or node cannot be started', async () => {
    const { run } = await alone('plain', { program: '/nowhere/child.js' })
    await expect(run('pid')).rejects.toThrow(/before the handler began.*Cannot find module/s)
    const { execPath } = process
    onTestFinished(() => {
      process.execPath = execPath
    })
    process.execPath = '/nowhere/node'
    for (const _ of allPlaces) await expect(run('pid')).rejects.toThrow('ENOENT')
  })

  test('is not even started for a task that was called off', async () => {
    const { run, abort, file } = await alone()
    abort.abort(new Error('cancelled'))
    await expect(run('pid')).rejects.toThrow('cancelled')
    expect(pidsOf(file)).toEqual([])
  })
})

test('a process whose parent was killed ends by itself, even in an endless loop', async () => {
  const file = await isolationProject()
  const program = fileURLToPath(new URL('./isolating.mjs', import.meta.url))
  const parent = spawn(process.execPath, [program, file], { stdio: 'ignore' })
  const closed = once(parent, 'close')
  const pid = await pidOf(file)
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await closed
  await goneSoon(pid)
})

test('nothing runs alone where there is no config file, or no program to fork', () => {
  expect(isolation(undefined, { program: '/child.js' })).toBeUndefined()
  expect(isolation('/redisdistro.config.mjs')).toBeUndefined()
})
