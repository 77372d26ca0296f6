import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Client } from '../../../src/client/client.js'
import { createKernel, type Kernel } from '../../../src/kernel/kernel.js'
import { silentLog } from '../../../src/telemetry/log.js'
import { project, type Running, type RunOptions, startBin } from '../../cli/bin.js'
import { testPrefix, testRedisUrl, until } from '../../support/redis.js'
import { Ledger } from './ledger.js'

export interface FleetOptions {
  /** The config's key `redis`; the suite's server under a prefix of its own if left out. */
  readonly redis?: Readonly<Record<string, unknown>>
  /** 10 if left out. */
  readonly concurrency?: number
  /** '1s' if left out. */
  readonly lease?: string
  /** More of the config's key `worker`. */
  readonly worker?: Readonly<Record<string, unknown>>
  /** More of the config. */
  readonly config?: Readonly<Record<string, unknown>>
}

/** Real worker processes over one store, and what their handlers wrote down. */
export interface Fleet {
  readonly directory: string
  readonly client: Client
  readonly operator: Kernel['operator']
  readonly schedules: Kernel['schedules']
  readonly ledger: Ledger
  /** A `redisdistro start --worker`; resolves when it works. */
  work(options?: FleetProcess): Promise<Running>
  /** A `redisdistro start --producer`; resolves with its URL when it answers. */
  produce(options?: FleetProcess): Promise<{ readonly running: Running; readonly url: string }>
  /** Lets every `gated` end. */
  openGate(): Promise<void>
  /** Lets every `deaf` end. */
  openSecondGate(): Promise<void>
  /** Resolves when all of these tasks have ended, each with its state. */
  ended(ids: readonly string[], timeout?: number): Promise<string[]>
}

export interface FleetProcess {
  readonly env?: Readonly<Record<string, string>>
  /** Another build's program. */
  readonly program?: string
  /** A process group of its own. */
  readonly detached?: boolean
  /** More of the command's words. */
  readonly args?: readonly string[]
  /** Do not wait until it is ready. */
  readonly early?: boolean
}

const states = new Set(['completed', 'dead', 'cancelled'])

/** Asks again only for those that have not ended, and not so often that the workers go short. */
async function allEnded(client: Client, ids: readonly string[], timeout: number) {
  const seen = new Map<string, string>()
  const look = async () => {
    const open = ids.filter((id) => !seen.has(id))
    const found = await Promise.all(open.map((id) => client.task(id)))
    for (const task of found) if (task && states.has(task.state)) seen.set(task.id, task.state)
    if (seen.size === new Set(ids).size) return true
    await wait(50)
    return false
  }
  await until(look, { timeout, describe: 'the tasks to end' })
  return ids.map((id) => seen.get(id) ?? 'unknown')
}

/** A project of its own with the ledger's plugin; all of it is gone when the test has finished. */
export async function makeFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { concurrency = 10, lease = '1s', worker = {}, config: more = {} } = options
  const redis = options.redis ?? { url: testRedisUrl(), prefix: testPrefix() }
  const retention = { completed: { age: '24h', count: 1_000_000 } }
  const config = {
    redis,
    worker: { lease, ...worker },
    queues: { default: { concurrency } },
    defaults: { retention },
    http: { port: 0 },
    ...more,
  }
  const directory = await project({
    'tasks.ts': await readFile(new URL('tasks.ts', import.meta.url), 'utf8'),
    'redisdistro.config.ts': `import ledger from './tasks.js'
export default { ...${JSON.stringify(config)}, plugins: [ledger] }`,
  })
  const kernel = await createKernel(undefined, { directory, env: {}, log: silentLog })
  onTestFinished(() => kernel.stop())
  await kernel.start({ roles: ['producer'] })
  const { client, operator, schedules } = kernel
  const start = async (role: string, { early = false, args = [], ...process }: FleetProcess) => {
    const running = startBin(['start', role, ...args], {
      cwd: directory,
      ...(process as RunOptions),
    })
    if (!early) await running.ready()
    return running
  }
  return {
    directory,
    client,
    operator,
    schedules,
    ledger: new Ledger(join(directory, 'ledger')),
    work: (how = {}) => start('--worker', how),
    async produce(how = {}) {
      const running = await start('--producer', how)
      return { running, url: /"url":"(http:[^"]+)"/.exec(running.output())?.[1] ?? '' }
    },
    openSecondGate: () => writeFile(join(directory, 'second gate'), ''),
    openGate: () => writeFile(join(directory, 'gate'), ''),
    ended: (ids, timeout = 90_000) => allEnded(client, ids, timeout),
  }
}
