import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithThisProcess } from '../../src/broker/embedded/guard.js'
import { choosePort } from '../../src/broker/embedded/redis-process.js'
import { ask } from '../../src/broker/embedded/resp.js'

export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly process: ChildProcess
  /** SIGTERM, and waits for its end; harmless when repeated. */
  stop(): Promise<void>
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>
}

export interface RedisProcessOptions {
  readonly program: string
  /** Further options of redis-server, as `['--appendonly', 'yes']`. */
  readonly args?: readonly string[]
  /** Any free one if left out. */
  readonly port?: number
}

/** Starts a redis-server in memory only, on loopback, that ends with this process at the latest. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<TestRedis> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryStart(options, options.port ?? (await choosePort(0)))
    } catch (error) {
      // Between choosing a free port and listening on it another may have taken it.
      if (options.port !== undefined || tries === 3) throw error
    }
  }
}

async function tryStart(options: RedisProcessOptions, port: number): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-redis-'))
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
  const memory = ['--save', '', '--appendonly', 'no']
  const child = spawn(options.program, [...fixed, ...memory, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, for Ctrl-C reaches the tests first.
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = `${output}${text}`.slice(-4000)
    })
  }
  const ended = once(child, 'exit')
  endWithThisProcess(child)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  while (
    !(await ask(port, ['PING', 'INFO server']))?.match(`^\\+PONG[\\s\\S]*process_id:${child.pid}\r`)
  ) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await end('SIGKILL')
      throw new Error(`${options.program} did not start:\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    process: child,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}
