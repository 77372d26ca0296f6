import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { startRedis, type TestRedis } from '../../support/redis.js'

/** A redis-server of one experiment, whose folder survives its end. */
export interface MortalRedis {
  readonly url: string
  readonly port: number
  readonly directory: string
  /** One command of an administrator's, over a connection of its own. */
  tell(...words: readonly [string, ...(string | number)[]]): Promise<unknown>
  /** SIGKILL, and waits for its end; the folder stays. */
  kill(): Promise<void>
  /** Starts it at its old address; resolves when it answers. */
  start(more?: readonly string[]): Promise<void>
  /** SIGSTOP: the kernel of the system still takes what is sent. */
  freeze(): void
  thaw(): void
}

/** Options of redis-server for an append-only file. */
export const appendOnly = (fsync: 'always' | 'everysec'): string[] => [
  '--appendonly',
  'yes',
  '--appendfsync',
  fsync,
]

export interface MortalRedisOptions {
  /** Options of redis-server. */
  readonly args?: readonly string[]
  /** Do not start it yet; it has its address. */
  readonly later?: boolean
}

/** Starts one; server and folder are gone when the test has finished. */
export async function makeRedis(options: MortalRedisOptions = {}): Promise<MortalRedis> {
  const { args = [], later = false } = options
  const directory = await mkdtemp(join(tmpdir(), 'redisdistro-mortal-'))
  const own = ['--dir', directory, '--enable-debug-command', 'yes', ...args]
  let server: TestRedis = await startRedis(own)
  const { url, port } = server
  if (later) await server.kill()
  onTestFinished(async () => {
    server.process.kill('SIGCONT')
    await server.kill()
    await rm(directory, { recursive: true, force: true })
  })
  return {
    url,
    port,
    directory,
    async tell(...[command, ...words]) {
      const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null })
      redis.on('error', () => undefined)
      try {
        await redis.connect()
        return await redis.call(command, ...words)
      } finally {
        redis.disconnect()
      }
    },
    kill: () => server.kill(),
    async start(more = []) {
      server = await startRedis([...own, ...more], port)
    },
    freeze: () => void server.process.kill('SIGSTOP'),
    thaw: () => void server.process.kill('SIGCONT'),
  }
}
