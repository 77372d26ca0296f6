import { testPrefix, testRedisServer, testRedisUrl, until } from '../support/redis.js'
import { project, type RunOptions, run } from './bin.js'

/** Tasks that behave as their type says. `hold` runs until its process is told to stop. */
const tasks = `
import { definePlugin, defineTask } from 'redisdistro'
import { z } from 'zod'
let client
const task = (type, handle) => defineTask({ type, payload: z.object({}), retry: { attempts: 1 }, handle })
export default definePlugin({ name: 'acts', tasks: [
  task('pass', () => process.pid),
  task('hold', (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))),
  task('block', () => { console.error('blocked'); for (;;); }),
  task('stray', () => { setTimeout(() => { throw new Error('a stray error') }) }),
  task('poison', () => { setTimeout(() => { throw new Error('a stray error') }); return new Promise(() => {}) }),
  task('exit', () => process.exit(0)),
  // Ends each kernel that runs it; alone in a process of its own it hands the work on.
  task('pass-on', async ({}, { task }) => {
    if (!process.argv[1].endsWith('child.js')) process.exit(1)
    return (await client.enqueue('pass', {}, { taskId: 'of-' + task.id })).id
  }),
  task('hold-alone', async (_, { signal, progress }) => {
    await progress(process.argv[1].endsWith('child.js') ? 'alone' : 'in the kernel')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    throw new Error('told to stop')
  }),
  task('forever', () => new Promise(() => {})),
], setup: (kernel) => { client = kernel.client } })
`

export interface Project {
  readonly cwd: string
  readonly env: Record<string, string>
  json(args: readonly string[], options?: RunOptions): Promise<Record<string, unknown>>
}

/** A project of those tasks on the suite's Redis, or on the store that `redis` says. */
export async function makeProject(
  worker = '{}',
  redis: object = { url: testRedisUrl(), prefix: testPrefix() },
): Promise<Project> {
  const cwd = await project({
    'tasks.ts': tasks,
    'redisdistro.config.ts': `export default { redis: ${JSON.stringify(redis)}, plugins: ['./tasks.ts'], http: { port: 0 }, worker: ${worker} }`,
  })
  const env = { REDISDISTRO_REDIS_SERVER: testRedisServer() }
  const json = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await run([...args, '--json'], { cwd, env })
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  return { cwd, env, json }
}

/** Enqueues a task and waits for the state that it shall reach. */
export async function reach({ json }: Project, type: string, state: string): Promise<unknown> {
  const { taskId } = await json(['enqueue', type])
  const look = async () => {
    const task = await json(['task', 'show', String(taskId)])
    return task['state'] === state && task
  }
  return await until(look, { timeout: 40_000, describe: `a task '${type}' to be ${state}` })
}
