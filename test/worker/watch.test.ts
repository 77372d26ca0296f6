import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Watch, type WatchParts } from '../../src/worker/watch.js'

beforeEach(() => void vi.useFakeTimers({ now: 50_000 }))
afterEach(() => void vi.useRealTimers())

/** A watch at a queue whose waits end when the test says so, and how often it asked for a look. */
function watching() {
  const seen = { looks: 0, waits: [] as number[] }
  const marks: (() => void)[] = []
  const wait = (_: unknown, ms: number, signal: AbortSignal) => {
    seen.waits.push(ms)
    return new Promise<void>((resolve) => {
      marks.push(resolve)
      signal.addEventListener('abort', () => resolve())
    })
  }
  const options = { broker: { wait }, partition: {} } as unknown as WatchParts['options']
  const onLook = () => void seen.looks++
  const watch = new Watch({ options, now: () => Date.now(), onLook })
  return { watch, seen, mark: () => marks.at(-1)?.() }
}

test('it looks in the ms that something is due in, though its wait goes on', async () => {
  const { watch, seen } = watching()
  watch.hear(false, 50_300)
  watch.wait()
  await vi.advanceTimersByTimeAsync(299)
  expect(seen).toEqual({ looks: 0, waits: [1000] })
  expect(watch.dry).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  expect(seen.looks).toBe(1)
  expect(watch.dry).toBe(false)
  expect(watch.due).toBe(true)
})

test('what is due sooner than was known is looked at then, and once', async () => {
  const { watch, seen } = watching()
  watch.hear(false, 50_900)
  watch.wait()
  watch.hear(false, 50_100)
  await vi.advanceTimersByTimeAsync(100)
  expect(seen.looks).toBe(1)
  watch.hear(false, undefined)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(seen.looks).toBe(1)
})

test('what is due in 30 days is no reason to look before', async () => {
  const { watch, seen } = watching()
  watch.hear(false, 50_000 + 30 * 86_400_000)
  watch.wait()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(seen).toEqual({ looks: 0, waits: [1000] })
})

test('a mark comes before what is due, and leaves it to be looked at', async () => {
  const { watch, seen, mark } = watching()
  watch.hear(false, 50_300)
  watch.wait()
  mark()
  await vi.advanceTimersByTimeAsync(1)
  expect(seen.looks).toBe(1)
  expect(watch.marked).toBe(true)
  watch.send()
  watch.hear(false, 50_300)
  watch.wait()
  await vi.advanceTimersByTimeAsync(299)
  expect(seen.looks).toBe(2)
})

test('when it has ended it asks for nothing more', async () => {
  const { watch, seen } = watching()
  watch.hear(false, 50_300)
  await watch.end()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(seen.looks).toBe(0)
})
