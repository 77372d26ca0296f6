import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Supervisor } from '../../src/cli/supervisor.js'

/** Stands in for a kernel's process, so that minutes of its life pass at once. */
class Kernel extends EventEmitter {
  readonly signals: string[] = []
  pid: number | undefined = 1
  connected = false
  kill(signal: string): boolean {
    this.signals.push(signal)
    return true
  }
}

let kernels: Kernel[] = []
let said: string[] = []

beforeEach(() => {
  vi.useFakeTimers()
  kernels = []
  refusals = []
  said = []
})
afterEach(() => {
  vi.useRealTimers()
})

/** Why the next processes cannot be started, in turn; where there is none they can. */
let refusals: Error[] = []

function supervisor(): Supervisor {
  const say = (sentence: string) => void said.push(sentence)
  return new Supervisor({
    fork: () => {
      const refusal = refusals.shift()
      if (refusal) throw refusal
      const kernel = new Kernel()
      kernels.push(kernel)
      return kernel as unknown as ChildProcess
    },
    announce: { info: say, warn: say, error: say },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
  })
}

const last = (): Kernel => kernels.at(-1) ?? new Kernel()

/** The newest kernel becomes ready, lives so long, and dies. */
async function liveAndDie(ms: number): Promise<void> {
  last().emit('message', { kind: 'ready' })
  await vi.advanceTimersByTimeAsync(ms)
  last().emit('exit', null, 'SIGKILL')
  await vi.advanceTimersByTimeAsync(0)
}

/** ms until another kernel is started. */
async function pause(): Promise<number> {
  const before = kernels.length
  const from = Date.now()
  while (kernels.length === before) await vi.advanceTimersToNextTimerAsync()
  return Date.now() - from
}

test('pauses double up to half a minute, and begin anew after a minute of health', async () => {
  void supervisor().run()
  const pauses: number[] = []
  for (let deaths = 0; deaths < 7; deaths++) {
    await liveAndDie(10)
    pauses.push(await pause())
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  await liveAndDie(60_000)
  expect(await pause()).toBe(1000)
})

test('once it was up, a boot that Redis refuses is tried again, one that the config refuses is not', async () => {
  const code = supervisor().run()
  await liveAndDie(10)
  await pause()
  last().emit('message', { kind: 'refused', code: 'store_away' })
  last().emit('exit', 1, null)
  await vi.advanceTimersByTimeAsync(0)
  expect(await pause()).toBe(2000)
  // Put right at the server, and not here.
  last().emit('message', { kind: 'refused', code: 'unsafe_redis' })
  last().emit('exit', 1, null)
  await vi.advanceTimersByTimeAsync(0)
  expect(await pause()).toBe(4000)
  last().emit('message', { kind: 'refused', code: 'bad_config' })
  last().emit('exit', 1, null)
  expect(await code).toBe(1)
  expect(kernels).toHaveLength(4)
})

test('a kernel that is killed is started again, even before it was ever ready', async () => {
  void supervisor().run()
  last().emit('exit', null, 'SIGKILL')
  await vi.advanceTimersByTimeAsync(0)
  expect(await pause()).toBe(1000)
  expect(said).toEqual(['the kernel was ended by SIGKILL; a new one starts in 1s'])
})

test('one that had begun to lease is started again, whatever ended it before it was ready', async () => {
  void supervisor().run()
  for (const [code, expected] of [
    [3, 1000],
    [0, 2000],
    [1, 4000],
  ] as const) {
    last().emit('message', { kind: 'working' })
    last().emit('exit', code, null)
    await vi.advanceTimersByTimeAsync(0)
    expect(await pause()).toBe(expected)
  }
})

test('what a kernel said counts although its end was noticed first', async () => {
  void supervisor().run()
  last().connected = true
  last().emit('exit', 3, null)
  last().emit('message', { kind: 'working' })
  last().emit('disconnect')
  await vi.advanceTimersByTimeAsync(0)
  expect(await pause()).toBe(1000)
})

test('a machine that has no process to give, once one was up, is asked again', async () => {
  const code = supervisor().run()
  refusals = [new Error('spawn EAGAIN'), new Error('spawn ENOMEM')]
  await liveAndDie(10)
  expect(await pause()).toBe(1000 + 2000 + 4000)
  const again = 'the kernel could not be started (spawn ENOMEM); a new one starts in 4s'
  expect(said.at(-1)).toBe(again)
  last().pid = undefined
  last().emit('error', new Error('fork EMFILE'))
  await vi.advanceTimersByTimeAsync(0)
  expect(await pause()).toBe(8000)
  last().emit('message', { kind: 'refused', code: 'bad_config' })
  last().emit('exit', 1, null)
  expect(await code).toBe(1)
})

test('a first process that cannot be started is the end, and told of', async () => {
  refusals = [new Error('spawn EAGAIN')]
  expect(await supervisor().run()).toBe(1)
  expect(said).toEqual(['the kernel could not be started (spawn EAGAIN)'])
})

test('an end is an end although its channel stays open', async () => {
  const code = supervisor().run()
  last().connected = true
  last().emit('exit', 3, null)
  await vi.advanceTimersByTimeAsync(1000)
  expect(await code).toBe(3)
})

test.each([['bad_config'], ['unsafe_redis'], ['store_away'], [undefined]])(
  'a first boot that fails and says so (%s) is not tried again, and no more is said of it',
  async (refusedBy) => {
    const code = supervisor().run()
    last().emit('message', { kind: 'refused', code: refusedBy })
    last().emit('exit', 1, null)
    expect(await code).toBe(1)
    expect(said).toEqual([])
  },
)

test('a first boot that ends without a word is not tried again, and told of', async () => {
  const code = supervisor().run()
  last().emit('exit', 3, null)
  expect(await code).toBe(3)
  expect(said).toEqual(['the kernel ended with exit code 3 before it was ready'])
})

test('an exit with 0 before it was ready is a failure that is told of', async () => {
  const code = supervisor().run()
  last().emit('exit', 0, null)
  expect(await code).toBe(1)
  expect(said).toEqual(['the kernel ended with exit code 0 before it was ready'])
})

test('a signal during a pause ends it with 0', async () => {
  const house = supervisor()
  const code = house.run()
  await liveAndDie(10)
  house.signal('SIGTERM')
  expect(await code).toBe(0)
  expect(kernels).toHaveLength(1)
})

test('a second signal counts from half a second on, and kills who does not listen', async () => {
  const house = supervisor()
  const code = house.run()
  house.signal('SIGINT')
  await vi.advanceTimersByTimeAsync(499)
  house.signal('SIGINT')
  await vi.advanceTimersByTimeAsync(5000)
  expect(last().signals).toEqual(['SIGINT', 'SIGINT'])
  house.signal('SIGTERM')
  await vi.advanceTimersByTimeAsync(1000)
  expect(last().signals.slice(2)).toEqual(['SIGTERM', 'SIGKILL'])
  last().emit('exit', null, 'SIGKILL')
  expect(await code).toBe(143)
})

test('an error of a kernel that lives is told, and so is a second one', async () => {
  const house = supervisor()
  const code = house.run()
  last().emit('error', new Error('kill EPERM'))
  last().emit('error', new Error('write EPIPE'))
  expect(said).toEqual(["the kernel's process: kill EPERM", "the kernel's process: write EPIPE"])
  house.signal('SIGTERM')
  last().emit('exit', 0, null)
  expect(await code).toBe(0)
})

test('a kernel that cannot be started at all is an error, and a second one changes nothing', async () => {
  const code = supervisor().run()
  last().pid = undefined
  last().emit('error', new Error('spawn EAGAIN'))
  last().emit('error', new Error('again'))
  expect(await code).toBe(1)
  expect(said).toEqual(['the kernel could not be started (spawn EAGAIN)'])
})
