import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import type { ConnectionSettings, Durability } from '../../src/broker/index.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import { Client } from '../../src/client/client.js'
import { registryDirectory } from '../../src/client/registry-directory.js'
import type { NewTask } from '../../src/core/broker.js'
import { systemClock } from '../../src/core/clock.js'
import { defineTask } from '../../src/core/definition.js'
import { startRedis, type TestRedis, testPrefix, testRedisServer, until } from '../support/redis.js'

export const replicated: Durability = { kind: 'replicated', replicas: 1 }
export const fsync: Durability = { kind: 'fsync' }

/** The queue that all tasks of the rig go to. */
export const partition = { queue: 'main', index: 0, of: 1 }

const note = defineTask({
  type: 'note',
  payload: z.object({ n: z.number() }),
  handle: () => undefined,
})
const resolved = {
  definition: note,
  queue: partition.queue,
  retry: { attempts: 1, backoff: 'fixed', delay: 1, maxDelay: 1, jitter: 0 },
  timeout: 1000,
  deadLetter: 'dead',
} as const

export interface RigOptions {
  readonly durability?: Durability
  readonly prefix?: string
  readonly commandTimeout?: number
  /** Parts of the queue. */
  readonly partitions?: number
}

/** A client over a broker of its own; ends with the test. */
export function clientOf(connection: ConnectionSettings, options: RigOptions = {}) {
  const { durability, prefix = testPrefix(), commandTimeout = 1000, partitions = 1 } = options
  const warnings: string[] = []
  const log = { info: () => undefined, warn: (line: string) => void warnings.push(line) }
  const rest = { prefix, commandTimeout, allowEviction: false, log }
  const broker = createRedisBroker({ connection, durability, ...rest })
  const directory = registryDirectory({
    broker,
    clock: systemClock,
    tasks: new Map([['note', resolved]]),
    queues: new Map([[partition.queue, partitions]]),
    tz: 'UTC',
    realName: (queue) => queue,
  })
  const client = new Client({ broker, directory, clock: systemClock, deadline: commandTimeout })
  onTestFinished(async () => {
    await client.close()
    await broker.close()
  })
  return { broker, client, prefix, warnings }
}

/** The same, connected. */
export async function openClient(connection: ConnectionSettings, options: RigOptions = {}) {
  const parts = clientOf(connection, options)
  await parts.broker.open()
  return parts
}

/** Speaks to one server. */
export async function tell<Answer>(
  { url }: { readonly url: string },
  name: string,
  ...args: (string | number)[]
): Promise<Answer> {
  const redis = new Redis(url, { retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    return (await redis.call(name, ...args)) as Answer
  } finally {
    redis.disconnect()
  }
}

/** How often a command was called on this server. */
export async function callsOf(server: { readonly url: string }, command: string): Promise<number> {
  const stats = await tell<string>(server, 'INFO', 'commandstats')
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0)
}

/** A server that ends with the test, whatever state it is in. */
export async function server(...args: string[]): Promise<TestRedis> {
  const redis = await startRedis(args)
  onTestFinished(() => redis.kill())
  return redis
}

/** What makes a replica follow without delay. */
const prompt = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']

/** Starts a replica, and waits until it follows. */
export async function replicaOf(master: TestRedis): Promise<TestRedis> {
  const before = await followers(master)
  const replica = await server(...prompt, '--replicaof', '127.0.0.1', `${master.port}`)
  const follows = async () => (await followers(master)) > before
  await until(follows, { timeout: 20_000, describe: 'the replica to follow' })
  return replica
}

/** How many have what is written now. */
async function followers({ url }: { readonly url: string }): Promise<number> {
  const redis = new Redis(url)
  try {
    await redis.set('written', 1)
    return await redis.wait(9, 50)
  } finally {
    redis.disconnect()
  }
}

/** A master and a replica that follows it. */
export async function pair(...args: string[]) {
  const master = await server(...prompt, ...args)
  return { master, replica: await replicaOf(master) }
}

/** It neither takes in nor answers, until it is let go, with the test's end at the latest. */
export function halt(halted: TestRedis): void {
  process.kill(halted.pid, 'SIGSTOP')
  // The child, since its pid may be somebody else's by then.
  onTestFinished(() => void halted.process.kill('SIGCONT'))
}

export function letGo({ pid }: TestRedis): void {
  process.kill(pid, 'SIGCONT')
}

/** A task as a broker takes it; with a fingerprint its id is one that a caller chose. */
export const taskOf = (id: string, fingerprint?: string): NewTask => ({
  id,
  priority: 'normal',
  deadLetter: 'dead',
  body: { type: 'note', payload: {}, enqueuedAt: 0, overrides: {}, tags: [] },
  ...(fingerprint === undefined ? {} : { fingerprint }),
})

/** So many payloads. */
export const payloads = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))

/** The version of the suite's server, as `[7, 0]`; whether it is a Valkey. */
export async function versionOfServer() {
  const { stdout } = await promisify(execFile)(testRedisServer(), ['--version'])
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(stdout) ?? []
  return { major: Number(major), minor: Number(minor), valkey: /valkey/i.test(stdout) }
}

export type RigClient = Client
