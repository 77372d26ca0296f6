// A plugin like a user's own, copied into each fleet's project. What its handlers do they write into a
// file that is added to and never read by the product: the truth of what ran.
import { appendFileSync, existsSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { definePlugin, defineTask, RetryError } from 'redisdistro'
import { z } from 'zod'

// An enum, so that whoever loads this must be able to compile TypeScript.
enum Word {
  start = 'start',
  end = 'end',
}

const here = dirname(fileURLToPath(import.meta.url))

interface Who {
  readonly id: string
  readonly attempt: number
}

/** ms of the machine's monotonic clock, which no wrong wall clock changes. */
const now = () => Number(process.hrtime.bigint() / 1000n) / 1000

const write = (word: Word, n: number, { id, attempt }: Who) =>
  appendFileSync(join(here, 'ledger'), `${[word, n, id, process.pid, attempt, now()].join(' ')}\n`)

const gateOpens = (signal: AbortSignal, gate = 'gate') =>
  new Promise<void>((resolve) => {
    const watcher = watch(here)
    const look = () => {
      if (!existsSync(join(here, gate)) && !signal.aborted) return
      watcher.close()
      resolve()
    }
    watcher.on('change', look)
    signal.addEventListener('abort', look)
    look()
  })

const block = (ms: number) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const eat = () => {
  const eaten: unknown[] = []
  for (;;) eaten.push(Array.from({ length: 100_000 }, (_, i) => ({ i })))
}

/** How a task may end its process. */
const deaths = {
  async killed() {
    console.error('something terrible')
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => undefined)
  },
  async exits() {
    process.exit(3)
  },
  async memory() {
    eat()
  },
  async loops() {
    for (;;) block(1000)
  },
  // Thrown where no handler is: as by a callback of a library.
  async uncaught() {
    setImmediate(() => {
      throw new Error('thrown by a callback')
    })
    await new Promise(() => undefined)
  },
  async unhandled() {
    void Promise.reject(new Error('rejected and never looked at'))
    await new Promise(() => undefined)
  },
}

/** How a handler may fail. */
const failures = {
  throws() {
    throw new Error('as always')
  },
  async hangs() {
    await new Promise(() => undefined)
  },
  rejects() {
    return Promise.reject(undefined)
  },
}

const n = z.number()

const note = defineTask({
  type: 'note',
  payload: z.object({ n, ms: z.number().default(0) }),
  async handle({ n, ms }, { task, signal }) {
    write(Word.start, n, task)
    if (ms > 0) await wait(ms, undefined, { signal })
    write(Word.end, n, task)
    return process.pid
  },
})

const stubborn = defineTask({
  type: 'stubborn',
  payload: z.object({ n, ms: z.number() }),
  async handle({ n, ms }, { task }) {
    write(Word.start, n, task)
    await wait(ms)
    write(Word.end, n, task)
  },
})

const gated = defineTask({
  type: 'gated',
  payload: z.object({ n }),
  async handle({ n }, { task, signal }) {
    write(Word.start, n, task)
    await gateOpens(signal)
    write(Word.end, n, task)
    return process.pid
  },
})

/** Heeds nothing but a gate of its own. */
const deaf = defineTask({
  type: 'deaf',
  payload: z.object({ n }),
  async handle({ n }, { task }) {
    write(Word.start, n, task)
    await gateOpens(new AbortController().signal, 'second gate')
    write(Word.end, n, task)
  },
})

const blocking = defineTask({
  type: 'blocking',
  payload: z.object({ n, ms: z.number() }),
  async handle({ n, ms }, { task }) {
    write(Word.start, n, task)
    block(ms)
    write(Word.end, n, task)
    return process.pid
  },
})

const poison = defineTask({
  type: 'poison',
  payload: z.object({
    n,
    how: z.enum(['killed', 'exits', 'memory', 'loops', 'uncaught', 'unhandled']),
  }),
  async handle({ n, how }, { task }) {
    write(Word.start, n, task)
    await new Promise((resolve) => setImmediate(resolve))
    await deaths[how]()
  },
})

const failing = defineTask({
  type: 'failing',
  payload: z.object({ n, how: z.enum(['throws', 'hangs', 'rejects']) }),
  retry: { attempts: 3, backoff: 'fixed', delay: '10ms' },
  timeout: '300ms',
  async handle({ n, how }, { task }) {
    write(Word.start, n, task)
    await failures[how]()
  },
})

const again = defineTask({
  type: 'again',
  payload: z.object({ n, ms: z.number().optional() }),
  retry: { attempts: 2, backoff: 'fixed', delay: '2s', jitter: 0 },
  async handle({ n, ms }, { task }) {
    write(Word.start, n, task)
    if (task.attempt === 1) {
      throw ms === undefined ? new Error('once') : new RetryError('later', { after: ms })
    }
    write(Word.end, n, task)
  },
})

export default definePlugin({
  name: 'ledger',
  tasks: [note, stubborn, gated, deaf, blocking, poison, failing, again],
})
