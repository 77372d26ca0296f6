import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { LeasedTask } from '../../src/core/broker.js'
import { type IsolationParts, isolation } from '../../src/kernel/isolation.js'
import type { IsolatedEnd } from '../../src/worker/isolate.js'
import { project } from './project.js'

const built = (path: string) => fileURLToPath(new URL(`../../dist/src/${path}`, import.meta.url))

/** Tasks that do as their payload says, each telling its process first. */
const config = `
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { definePlugin, defineTask } from 'redisdistro'
import { z } from 'zod'
const tell = () => appendFileSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'pids'), process.pid + '\\n')
const daemon = () => {
  const child = spawn('sleep', ['300'], { stdio: 'inherit', detached: true })
  child.unref()
  return child.pid
}
const job = defineTask({ type: 'job', payload: z.string(), retry: { attempts: 3 }, async handle(what, context) {
  tell()
  switch (what) {
    case 'progress': await context.progress({ half: true }); return 'done'
    case 'daemon': return daemon()
    case 'daemon, then die': await context.progress(daemon()); console.error('my last words'); process.exit(3)
    case 'loop': for (;;);
    case 'stop itself': process.removeAllListeners('SIGTERM'); process.kill(process.pid, 'SIGTERM'); return new Promise(() => undefined)
    case 'heed': await new Promise((resolve) => context.signal.addEventListener('abort', resolve)); return 'heeded'
    default: return process.pid
  }
} })
const how = 'SETUP'
const worker = how === 'block little' ? { maxBlocked: '1s' } : {}
export default { redis: { url: 'redis://127.0.0.1:1' }, http: false, worker, plugins: [definePlugin({
  name: 'job',
  tasks: [job],
  async setup() {
    if (how === 'hang') { tell(); await new Promise((resolve) => setTimeout(resolve, 600_000)) }
    if (how === 'throw') throw new Error('the pool is dry')
    if (how === 'talk') for (const word of ['ready', null, 7, { word: 'online' }]) process.send(word)
  },
  async close() { if (how === 'never close') await new Promise((resolve) => setTimeout(resolve, 600_000)) },
})] }
`

const leased = (payload: string): LeasedTask => ({
  id: `task ${payload}`,
  fence: '1',
  leasedAt: 1,
  priority: 'normal',
  body: { type: 'job', payload, enqueuedAt: 1, overrides: {}, tags: [] },
  deadLetter: 'dead',
  flags: { own: false, expires: false, unique: 'none' },
  failures: 0,
  losses: 2,
  deaths: 0,
  mismatchSince: 0,
})

type Setup = 'plain' | 'hang' | 'throw' | 'talk' | 'never close' | 'block little'

/** Writes the project, and gives the path of its config. */
export const isolationProject = async (setup: Setup = 'plain'): Promise<string> => {
  const text = config.replace('SETUP', setup)
  return join(await project({ 'redisdistro.config.mjs': text }), 'redisdistro.config.mjs')
}

/** Pids of the processes that have begun what the payload or the setup says, the newest last. */
export function pidsOf(file: string): number[] {
  const path = join(file, '..', 'pids')
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : []
}

/** Ends with the test what a task left behind on purpose. */
export function endsWithTest(pid: unknown): void {
  onTestFinished(() => {
    if (typeof pid === 'number') process.kill(pid, 'SIGKILL')
  })
}

export interface Alone {
  readonly file: string
  readonly progress: unknown[]
  readonly abort: AbortController
  /** How often a handler has begun. */
  begun(): number
  run(payload: string): Promise<IsolatedEnd>
}

/** Runs tasks in real processes, forked from the built program as a kernel does. */
export async function alone(setup: Setup = 'plain', parts: IsolationParts = {}): Promise<Alone> {
  const file = await isolationProject(setup)
  const isolate = isolation(file, { program: built('kernel/child.js'), ...parts })
  if (!isolate) throw new Error('nothing can be isolated')
  const abort = new AbortController()
  const progress: unknown[] = []
  let begun = 0
  const about = { type: 'job', queue: 'default', attempt: 1, maxAttempts: 3, fence: 1 }
  const context = {
    signal: abort.signal,
    progress: async (value: unknown) => void progress.push(value),
    task: { ...about, id: 'task', enqueuedAt: new Date(1) },
  }
  return {
    file,
    progress,
    abort,
    begun: () => begun,
    run: async (payload) =>
      isolate(leased(payload), context, () => {
        begun += 1
      }),
  }
}
