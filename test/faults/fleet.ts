import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { createKernel } from '../../src/kernel/kernel.js'
import { silentLog } from '../../src/telemetry/log.js'
import { project, type Running, startBin } from '../cli/bin.js'
import { testPrefix, testRedisUrl, until } from '../support/redis.js'

/**
 * Tasks that write down when they start and end, in a file that is added to and never read by the
 * product: the truth of what ran. `note` waits for the gate to open, `poison` ends its process.
 */
const tasks = `
import { appendFileSync, existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import { definePlugin, defineTask } from 'redisdistro'
import { z } from 'zod'

enum Word { start = 'start', end = 'end' }
const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const ledger = (word: Word, { id, attempt }: { id: string; attempt: number }) =>
  appendFileSync(join(here, 'ledger'), [word, id, process.pid, attempt].join(' ') + '\\n')

const gateOpens = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const watcher = watch(here)
    const look = () => {
      if (!existsSync(join(here, 'gate')) && !signal.aborted) return
      watcher.close()
      resolve()
    }
    watcher.on('change', look)
    signal.addEventListener('abort', look)
    look()
  })

const payload = z.object({ n: z.number().default(0) })
export default definePlugin({
  name: 'ledger',
  tasks: [
    defineTask({
      type: 'note',
      payload,
      async handle(_, { task, signal }) {
        ledger(Word.start, task)
        await gateOpens(signal)
        ledger(Word.end, task)
        return process.pid
      },
    }),
    defineTask({
      type: 'poison',
      payload,
      async handle(_, { task }) {
        ledger(Word.start, task)
        await new Promise((resolve) => setImmediate(resolve))
        console.error('something terrible')
        process.kill(process.pid, 'SIGKILL')
      },
    }),
  ],
})
`

export interface LedgerLine {
  readonly word: 'start' | 'end'
  readonly id: string
  readonly pid: number
  readonly attempt: number
}

/** Real worker processes over one store, and what their handlers wrote down. */
export interface Fleet {
  readonly client: Client
  /** A `redisdistro start --worker`; resolves when it works. */
  work(): Promise<Running>
  ledger(): LedgerLine[]
  /** Lets every \`note\` end. */
  openGate(): void
  /** Resolves when all of these tasks have ended, each with its state. */
  ended(ids: readonly string[]): Promise<string[]>
}

/** A project of its own on the suite's Redis; all of it is gone when the test has finished. */
export async function makeFleet({ concurrency = 10, lease = '1s' } = {}): Promise<Fleet> {
  const redis = { url: testRedisUrl(), prefix: testPrefix() }
  const config = { redis, worker: { lease }, queues: { default: { concurrency } }, http: false }
  const directory = await project({
    'ledger.ts': tasks,
    'redisdistro.config.ts': `import ledger from './ledger.js'
export default { ...${JSON.stringify(config)}, plugins: [ledger] }`,
  })
  const kernel = await createKernel(undefined, { directory, env: {}, log: silentLog })
  onTestFinished(() => kernel.stop())
  await kernel.start({ roles: ['producer'] })
  const { client } = kernel
  const path = join(directory, 'ledger')
  return {
    client,
    async work() {
      const running = startBin(['start', '--worker'], { cwd: directory })
      await running.ready()
      return running
    },
    ledger: () =>
      (existsSync(path) ? readFileSync(path, 'utf8') : '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [word, id = '', pid, attempt] = line.split(' ')
          return {
            word: word as LedgerLine['word'],
            id,
            pid: Number(pid),
            attempt: Number(attempt),
          }
        }),
    openGate: () => writeFileSync(join(directory, 'gate'), ''),
    ended: (ids) =>
      until(
        async () => {
          const found = await Promise.all(ids.map((id) => client.task(id)))
          const states = found.map((task) => task?.state ?? 'unknown')
          return states.every((state) => state === 'completed' || state === 'dead') && states
        },
        { timeout: 90_000, describe: 'the tasks to end' },
      ),
  }
}
