import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { EnqueuedTask } from '../../../src/core/enqueuer.js'

export interface CallerOptions {
  /** The config's key `redis`. */
  readonly redis: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
}

/** A process of its own that enqueues by `redisdistro/client`. */
export interface Caller {
  /** `clock` is its wall clock in ms when it was answered. @throws what it was refused with */
  enqueue(
    type: string,
    payload: unknown,
    options?: object,
  ): Promise<{ readonly task: EnqueuedTask; readonly clock: number }>
}

interface Answer {
  readonly key: number
  readonly clock: number
  readonly task?: EnqueuedTask
  readonly error?: string
}

const program = fileURLToPath(new URL('caller.mjs', import.meta.url))
/** The built door; the suite builds it before. */
const door = new URL('../../../dist/src/client.js', import.meta.url).href

/** Starts it; it ends with the test. */
export function startCaller({ redis, env = {} }: CallerOptions): Caller {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, FAULTS_CLIENT: door, FAULTS_REDIS: JSON.stringify(redis), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    waiting.get(answer.key)?.(answer)
    waiting.delete(answer.key)
  })
  let last = 0
  return {
    async enqueue(type, payload, options) {
      const key = ++last
      const answered = new Promise<Answer>((resolve) => waiting.set(key, resolve))
      child.stdin.write(`${JSON.stringify({ key, type, payload, options })}\n`)
      const { task, error, clock } = await answered
      if (task === undefined) throw new Error(error)
      return { task, clock }
    },
  }
}
