import { setTimeout as wait } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { isRedisDistroError } from '../../../src/core/errors.js'

/** Whoever takes tasks: a client, or an API. */
export interface Enqueuing {
  enqueue(type: string, payload: unknown, options?: { readonly taskId?: string }): Promise<unknown>
}

export interface LoadOptions {
  /** Tasks in each second. */
  readonly rate: number
  /** Tasks in all; endless if left out. */
  readonly total?: number
  /** Of type `note` with `{ n, ms: 0 }` if left out; `n` is the task's name here. */
  readonly task?: (n: number) => { readonly type: string; readonly payload: { readonly n: number } }
  /** Calls under way at most, as so many callers make who wait for their answers; endless if left out. */
  readonly atOnce?: number
  /** Callers choose the ids, and repeat what was not acknowledged until it is. */
  readonly repeating?: boolean
}

/** What callers were told of the tasks that they enqueued, by `n`. */
export interface Load {
  readonly acknowledged: Set<number>
  /** The code that came instead; a task that was acknowledged at last is in here no more. */
  readonly refused: Map<number, string>
  /** How many were sent, whatever became of them; the next one's `n`. */
  sent(): number
  /** ms that the longest call took. */
  slowest(): number
  /** Resolves when every call has settled. */
  readonly done: Promise<void>
  /** Enqueues no more, and resolves as `done` does. */
  stop(): Promise<void>
}

const turn = 20
/** ms after which a caller who repeats does so, as the API asks. */
const again = 1000
const codeOf = (error: unknown) => (isRedisDistroError(error) ? error.code : String(error))
const ordinary = (n: number) => ({ type: 'note', payload: { n } })

/** Enqueues at an even rate, as callers do who wait for no one. */
export function startLoad(client: Enqueuing, options: LoadOptions): Load {
  const { rate, total = Infinity, task = ordinary, repeating = false, atOnce = Infinity } = options
  const acknowledged = new Set<number>()
  const refused = new Map<number, string>()
  let slowest = 0
  let sent = 0
  let stopped = false
  let abandoned = false
  // A test that failed leaves nobody who calls for ever.
  onTestFinished(() => {
    stopped = true
    abandoned = true
  })
  const call = async (n: number): Promise<void> => {
    const began = performance.now()
    const { type, payload } = task(n)
    try {
      await client.enqueue(type, payload, repeating ? { taskId: `t-${n}` } : undefined)
      acknowledged.add(n)
      refused.delete(n)
    } catch (error) {
      refused.set(n, codeOf(error))
    } finally {
      slowest = Math.max(slowest, performance.now() - began)
    }
    if (!repeating || acknowledged.has(n) || abandoned) return
    await wait(again)
    await call(n)
  }
  const run = async () => {
    const calls = new Set<Promise<void>>()
    const began = performance.now()
    while (sent < total && !stopped) {
      const due = Math.min(total, Math.ceil(((performance.now() - began) / 1000) * rate))
      while (sent < due && calls.size < atOnce) {
        const made = call(sent++).finally(() => calls.delete(made))
        calls.add(made)
      }
      await wait(turn)
    }
    await Promise.all(calls)
  }
  const done = run()
  return {
    acknowledged,
    refused,
    sent: () => sent,
    slowest: () => slowest,
    done,
    stop: () => {
      stopped = true
      return done
    },
  }
}
