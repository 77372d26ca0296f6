import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RedisDistroError } from '../../core/errors.js'
import { type Hold, holdRunning } from './hold.js'
import { findRedisServer as findProgram } from './program.js'

/** A redis-server of the product's own, shared by all processes that start it in one directory. */
export interface EmbeddedRedis {
  /** `redis://127.0.0.1:<port>`; the port stays the same over restarts where it is free. */
  readonly url: string
  /** The real path of the directory with its data, log and `redis.json`. */
  readonly directory: string
  /** True where another process had started it already. */
  readonly joined: boolean
  /** The `redis_version` that the server tells. */
  readonly version: string
  /**
   * Gives this user's hold up. The server ends with the last one: at once after a user that stayed
   * a while, about 1.5 s after one that came for a moment or was killed, since another may follow.
   */
  release(): Promise<void>
}

export interface EmbeddedOptions {
  readonly directory: string
  /** The path of a redis-server or valkey-server. */
  readonly program: string
}

/**
 * The path of the redis-server or valkey-server to run: what `REDISDISTRO_REDIS_SERVER` names,
 * else the first on PATH, else undefined. Throws `bad_config` where the variable names no program.
 */
export async function findRedisServer(): Promise<string | undefined> {
  try {
    return await findProgram()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new RedisDistroError('bad_config', message, { cause: error })
  }
}

/**
 * Starts the embedded redis-server of a directory, or joins the one that runs there. It and its
 * watchdog live in a process group of their own, so that Ctrl-C reaches only the users, and end
 * with the last user however that one ends. A hold that the watchdog's death broke is taken
 * again. Throws `store_away` with the server's last words where it does not start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRedis> {
  const directory = await makeDirectory(options.directory)
  const whole = { directory, program: resolve(options.program) }
  const { hold, joined } = await takeHold(whole)
  const keeper = new HoldKeeper(hold, async () => (await takeHold(whole)).hold)
  const { url, version } = hold.ready
  return { url, directory, joined, version, release: () => keeper.release() }
}

async function makeDirectory(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    return await realpath(path)
  } catch (error) {
    throw new RedisDistroError(
      'store_away',
      `The embedded Redis cannot make its directory ${path}: ${String(error)}`,
      { cause: error },
    )
  }
}

/** Joins, or starts a watchdog and joins that one, or the one that was quicker. */
async function takeHold(options: EmbeddedOptions): Promise<{ hold: Hold; joined: boolean }> {
  let watchdog: ChildProcess | undefined
  for (;;) {
    const hold = await holdRunning(options.directory)
    if (hold !== undefined) return { hold, joined: hold.ready.watchdog !== watchdog?.pid }
    if (watchdog === undefined || watchdog.exitCode === 0) watchdog = startWatchdog(options)
    else if (watchdog.exitCode !== null || watchdog.signalCode !== null) {
      throw new RedisDistroError('store_away', watchdogFailure(options.directory, watchdog))
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function startWatchdog({ directory, program }: EmbeddedOptions): ChildProcess {
  const out = openLog(join(directory, 'redis.log'))
  const script = fileURLToPath(new URL('./watchdog.js', import.meta.url))
  // Not NODE_OPTIONS: what it loads into an application has no business in here.
  const { NODE_OPTIONS: _, ...env } = process.env
  const watchdog = spawn(process.execPath, [script, directory, program], {
    cwd: directory,
    detached: true,
    env,
    stdio: ['ignore', out, out],
  })
  closeSync(out)
  // Its exit code tells of it too.
  watchdog.on('error', () => undefined)
  watchdog.unref()
  return watchdog
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (error) {
    throw new RedisDistroError(
      'store_away',
      `The embedded Redis cannot write its log ${path}: ${String(error)}`,
      { cause: error },
    )
  }
}

function watchdogFailure(directory: string, watchdog: ChildProcess): string {
  const log = join(directory, 'redis.log')
  const words = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8)
  return [
    `The watchdog of the embedded Redis ended (${watchdog.signalCode ?? watchdog.exitCode}).`,
    `The last lines of ${log}:`,
    ...words.map((line) => `  ${line}`),
  ].join('\n')
}

/** Holds until it is told to release: takes the hold again when the watchdog was killed. */
class HoldKeeper {
  #hold: Hold
  #released = false
  readonly #take: () => Promise<Hold>

  constructor(hold: Hold, take: () => Promise<Hold>) {
    this.#hold = hold
    this.#take = take
    this.#watch()
  }

  async release(): Promise<void> {
    this.#released = true
    const { socket } = this.#hold
    if (socket.closed) return
    await new Promise((resolve) => socket.once('close', resolve).ref().end('bye\n'))
  }

  #watch(): void {
    this.#hold.socket.once('close', () => this.#retake())
  }

  #retake(): void {
    if (this.#released) return
    this.#take().then(
      (hold) => {
        this.#hold = hold
        if (this.#released) hold.socket.destroy()
        else this.#watch()
      },
      // The reason stands in redis.log, and commands fail meanwhile, which is told elsewhere.
      () => setTimeout(() => this.#retake(), 1000).unref(),
    )
  }
}
