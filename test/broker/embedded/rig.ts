import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, onTestFinished } from 'vitest'
import { type EmbeddedRedis, startEmbedded } from '../../../src/broker/embedded/index.js'
import { isAlive, testRedisServer, until } from '../../support/redis.js'

/** Another process that uses the embedded Redis of a directory until it is killed. */
export interface OtherUser {
  readonly pid: number
  readonly url: string
  readonly joined: boolean
  kill(signal?: NodeJS.Signals): Promise<void>
}

export interface Pids {
  readonly redis: number
  readonly watchdog: number
}

const otherUser = fileURLToPath(new URL('./other-user.mjs', import.meta.url))

const folders: string[] = []
const directories: string[] = []

// Not after each test: a server outlives its last user by a moment, and these pass at once here.
afterAll(async () => {
  await Promise.all(directories.map((directory) => untilEnded(directory)))
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

/** A directory that goes when the file's tests are over and its server has ended. */
export async function newDirectory(name = 'data'): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'redisdistro-embedded-')))
  folders.push(folder)
  directories.push(join(folder, name))
  return join(folder, name)
}

/** Starts or joins in this process; released when the test is over. */
export async function start(directory: string): Promise<EmbeddedRedis> {
  const embedded = await startEmbedded({ directory, program: testRedisServer() })
  onTestFinished(() => embedded.release())
  return embedded
}

/** Starts or joins in a process (and process group) of its own; killed when the test is over. */
export async function startElsewhere(directory: string): Promise<OtherUser> {
  const child = spawn(process.execPath, [otherUser, directory, testRedisServer()], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.pid !== undefined && isAlive(child.pid)) process.kill(-child.pid, signal)
    await ended
  }
  onTestFinished(() => kill())
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    ended.then(([code]) => Promise.reject(new Error(`the other process ended with ${code}`))),
  ])
  return { pid: child.pid ?? 0, ...(JSON.parse(line) as EmbeddedRedis), kill }
}

/** A client; closed when the test is over. */
export function connectTo(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return redis
}

/** The processes of the server in a directory, as its `redis.json` tells. */
export function pidsOf(directory: string): Pids {
  return JSON.parse(readFileSync(join(directory, 'redis.json'), 'utf8')) as Pids
}

/** Waits until neither the server nor its watchdog runs any more. */
export async function untilEnded(directory: string, pids?: Pids): Promise<void> {
  const { redis, watchdog } = pids ?? pidsOf(directory)
  await until(() => !isAlive(redis) && !isAlive(watchdog), {
    describe: `the end of redis-server ${redis} and watchdog ${watchdog} in ${directory}`,
  })
}
