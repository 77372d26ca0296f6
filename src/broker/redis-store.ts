import type { Cluster, Redis } from 'ioredis'
import { RedisDistroError } from '../core/errors.js'
import { untilArrived } from './between-nodes.js'
import { faultOf, isRefusedSelect, isUnknownScript } from './fault.js'
import { judgeFormat } from './format.js'
import type { BrokerOptions, ConnectionSettings } from './index.js'
import { openConnection } from './ioredis.js'
import type { Script, Source } from './script.js'
import type { ScriptStore } from './script-store.js'
import { judgeServer, readServer } from './server.js'

type Connection = Redis | Cluster

const unheard = { info: () => undefined, warn: () => undefined }

/** Where a connection leads, without user and password. */
function saysOf(settings: ConnectionSettings): string {
  if ('url' in settings) {
    try {
      const url = new URL(settings.url)
      return `Redis at ${url.host || url.pathname}${url.host && url.pathname.length > 1 ? url.pathname : ''}`
    } catch {
      return 'Redis'
    }
  }
  const nodes =
    'sentinel' in settings
      ? settings.sentinel.nodes
      : 'cluster' in settings
        ? settings.cluster.nodes
        : []
  const names = nodes.map((node) => `${node.host}:${node.port}`).join(', ')
  return 'sentinel' in settings ? `Redis by sentinel (${names})` : `Redis Cluster (${names})`
}

/**
 * A store behind a Redis connection. Its duties: one connection for scripts and one for each list
 * that is waited on; EVALSHA, then EVAL; every call settles within the command timeout; the server is checked each time that it is reached anew.
 */
export class RedisStore implements ScriptStore {
  readonly says: string
  readonly shared = true
  readonly #options: BrokerOptions
  readonly #connection: Connection
  readonly #blocking = new Map<string, Connection>()
  /** How many wait at a list. */
  readonly #waiters = new Map<string, number>()
  #flags = false
  #unsafe: RedisDistroError | undefined
  #noDatabase: Error | undefined
  #told: string | undefined
  #checked: Promise<void> | undefined
  #away = false
  #closed = false

  constructor(options: BrokerOptions) {
    this.#options = options
    this.says = saysOf(options.connection)
    this.#connection = openConnection(options.connection, {
      name: 'redisdistro',
      commandTimeout: options.commandTimeout,
    })
    this.#connection.on('connect', () => {
      this.#noDatabase = undefined
    })
    this.#connection.on('error', (error: Error) => {
      // The client library would go on in database 0, among somebody else's keys.
      if (isRefusedSelect(error)) this.#noDatabase = error
      this.#sayAway(error)
    })
    this.#connection.on('ready', () => {
      this.#checked = this.#check()
    })
  }

  async open(): Promise<void> {
    const reached = new Promise<void>((resolve) => this.#connection.once('ready', () => resolve()))
    const late = new Promise<void>((resolve) =>
      setTimeout(resolve, this.#options.commandTimeout).unref(),
    )
    this.#connection.connect().catch(() => undefined)
    await Promise.race([reached, late])
    await this.#checked
    if (this.#unsafe) throw this.#unsafe
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const connection of [this.#connection, ...this.#blocking.values()]) connection.disconnect()
    this.#blocking.clear()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    if (this.#unsafe) throw this.#unsafe
    const source = this.#flags ? script.flagged : script.plain
    const values = [...keys, ...args] as string[]
    const send = () => this.#send(source, keys.length, values)
    try {
      return await untilArrived(this.#options.commandTimeout, send)
    } catch (error) {
      throw this.#fault(error)
    }
  }

  async #send(source: Source, keys: number, values: readonly string[]): Promise<unknown> {
    try {
      return await this.#connection.evalsha(source.sha, keys, ...values)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
    }
    return await this.#connection.eval(source.text, keys, ...values)
  }

  async block(key: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return
    const connection = this.#blockingFor(key)
    this.#waiters.set(key, (this.#waiters.get(key) ?? 0) + 1)
    const ended = withResolvers()
    const finish = () => ended.resolve()
    // A half-open connection answers nothing: past the deadline it is given up.
    const giveUp = setTimeout(() => {
      this.#dropBlocking(key)
      finish()
    }, ms + 1000)
    const onAbort = () => {
      this.#dropBlocking(key)
      finish()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (connection.status === 'ready') {
      connection.blpop(key, Math.max(ms, 10) / 1000).then(finish, () => setTimeout(finish, 100))
    } else {
      const later = setTimeout(finish, Math.min(ms, 100))
      connection.once('ready', finish)
      void ended.promise.then(() => {
        clearTimeout(later)
        connection.removeListener('ready', finish)
      })
    }
    await ended.promise
    clearTimeout(giveUp)
    signal.removeEventListener('abort', onAbort)
    const left = (this.#waiters.get(key) ?? 1) - 1
    if (left > 0) this.#waiters.set(key, left)
    else this.#waiters.delete(key)
  }

  release(key: string): void {
    if (!this.#waiters.get(key)) this.#dropBlocking(key)
  }

  async scanHash(key: string, cursor: string) {
    const [next, pairs] = await this.#guard(this.#connection.hscan(key, cursor, 'COUNT', 1000))
    return { cursor: next, pairs }
  }

  readHash(key: string): Promise<Record<string, string>> {
    return this.#guard(this.#connection.hgetall(key))
  }

  async writeHash(key: string, fields: Record<string, string>): Promise<void> {
    if (Object.keys(fields).length > 0) await this.#guard(this.#connection.hset(key, fields))
  }

  async readScores(key: string): Promise<[string, number][]> {
    const flat = await this.#guard(this.#connection.zrange(key, '0', '-1', 'WITHSCORES'))
    return flat.flatMap((member, i) =>
      i % 2 ? [] : [[member, Number(flat[i + 1])] as [string, number]],
    )
  }

  async time(): Promise<number> {
    const [seconds, micros] = await this.#guard(this.#connection.time())
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  async #guard<Answer>(call: Promise<Answer>): Promise<Answer> {
    if (this.#unsafe) throw this.#unsafe
    try {
      return await call
    } catch (error) {
      throw this.#fault(error)
    }
  }

  #fault(error: unknown): RedisDistroError {
    if (this.#closed)
      return new RedisDistroError('closed', `the connection to ${this.says} is closed`)
    return faultOf(error, this.says)
  }

  #blockingFor(key: string): Connection {
    const known = this.#blocking.get(key)
    if (known) return known
    const connection = openConnection(this.#options.connection, { name: 'redisdistro-wait' })
    connection.on('error', () => undefined)
    connection.connect().catch(() => undefined)
    this.#blocking.set(key, connection)
    return connection
  }

  #dropBlocking(key: string): void {
    this.#blocking.get(key)?.disconnect()
    this.#blocking.delete(key)
  }

  #sayAway(error: Error): void {
    if (this.#away || this.#closed) return
    this.#away = true
    this.#options.log.warn('Redis is away; trying again until it answers', {
      store: this.says,
      reason: error.message,
    })
  }

  async #check(): Promise<void> {
    if (this.#away) this.#options.log.info('Redis answers again', { store: this.says })
    this.#away = false
    try {
      const server = readServer(await this.#connection.info())
      this.#flags = server.version[0] >= 7
      // Each thing is said once, not whenever the server is reached anew.
      const told = JSON.stringify(server)
      const log = told === this.#told ? unheard : this.#options.log
      this.#told = told
      const { allowEviction } = this.#options
      this.#unsafe = judgeServer(server, { allowEviction, log, says: this.says })
      if (this.#noDatabase) {
        const words = `the database of ${this.says} cannot be used: ${this.#noDatabase.message}`
        this.#unsafe = new RedisDistroError('unsafe_redis', words)
      }
      const { prefix } = this.#options
      this.#unsafe ??= await judgeFormat(this.#connection, { prefix, says: this.says })
    } catch (error) {
      this.#options.log.warn('Redis was reached, but could not be asked what it is', {
        store: this.says,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }
}

function withResolvers() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
