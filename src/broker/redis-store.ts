import type { Cluster, Redis } from 'ioredis'
import { systemClock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { within } from '../core/within.js'
import { untilArrived } from './between-nodes.js'
import { isRefusedSelect } from './break-off.js'
import { faultOf, isUnknownScript } from './fault.js'
import { FollowedStreams } from './followed-streams.js'
import { judgeFormat } from './format.js'
import type { BrokerOptions } from './index.js'
import { openConnection } from './ioredis.js'
import { saysOf } from './says.js'
import type { Script, Source } from './script.js'
import type { ScriptStore, StreamRange } from './script-store.js'
import { judgeServer, readServer } from './server.js'
import { WaitedLists } from './waited-lists.js'

type Connection = Redis | Cluster

const unheard = { info: () => undefined, warn: () => undefined }

/** ms after which a server that was refused is judged anew: somebody may have put it right. */
const judgeAgain = 1000

/**
 * A store behind a Redis connection. Its duties: EVALSHA, then EVAL; every call settles within the
 * command timeout; the server is judged each time that it is reached anew, and while it is refused.
 */
export class RedisStore implements ScriptStore {
  readonly says: string
  readonly shared = true
  readonly #options: BrokerOptions
  readonly #connection: Connection
  readonly #lists: WaitedLists
  readonly #streams: FollowedStreams
  #flags = false
  #unsafe: RedisDistroError | undefined
  #noDatabase: Error | undefined
  /** True from when a server is reached until it is judged. */
  #strange = false
  #told: string | undefined
  #checked: Promise<void> | undefined
  /** Monotonic ms of the last check. */
  #judged = Number.NEGATIVE_INFINITY
  #away = false
  #closed = false

  constructor(options: BrokerOptions) {
    this.#options = options
    this.says = saysOf(options.connection)
    this.#lists = new WaitedLists(options.connection)
    this.#streams = new FollowedStreams(options.connection)
    this.#connection = openConnection(options.connection, {
      name: 'redisdistro',
      commandTimeout: options.commandTimeout,
    })
    this.#connection.on('error', (error: Error) => {
      if (isRefusedSelect(error)) this.#noDatabase = error
      this.#sayAway(error)
    })
    this.#connection.on('ready', () => {
      this.#noDatabase = undefined
      this.#strange = true
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
    this.#mustBeFit()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#connection.disconnect()
    this.#lists.close()
    this.#streams.close()
  }

  mustBeSafe(): void {
    const old = systemClock.monotonic() - this.#judged > judgeAgain
    if (this.#unsafe && old && this.#connection.status === 'ready') this.#checked = this.#check()
    this.#mustBeFit()
  }

  #mustBeFit(): void {
    const refusal = this.#lacksDatabase() ?? this.#unsafe
    if (refusal) throw refusal
  }

  /** A server that was reached anew may be another one: it takes nothing before it is judged. */
  async #judgedAnew(): Promise<void> {
    await within(this.#options.commandTimeout, this.#checked ?? Promise.resolve())
    this.#mustBeFit()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    this.mustBeSafe()
    if (this.#strange) await this.#judgedAnew()
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
    if (!this.#closed) await this.#lists.block(key, ms, signal)
  }

  release(key: string): void {
    this.#lists.release(key)
  }

  async scanHash(key: string, cursor: string, count = 1000) {
    const [next, pairs] = await this.#guard(() =>
      this.#connection.hscan(key, cursor, 'COUNT', Math.max(1, count)),
    )
    return { cursor: next, pairs }
  }

  readHash(key: string): Promise<Record<string, string>> {
    return this.#guard(() => this.#connection.hgetall(key))
  }

  async writeHash(key: string, fields: Record<string, string>): Promise<void> {
    if (Object.keys(fields).length > 0) await this.#guard(() => this.#connection.hset(key, fields))
  }

  async readScores(key: string): Promise<[string, number][]> {
    const flat = await this.#guard(() => this.#connection.zrange(key, '0', '-1', 'WITHSCORES'))
    return flat.flatMap((member, i) =>
      i % 2 ? [] : [[member, Number(flat[i + 1])] as [string, number]],
    )
  }

  async readStream(key: string, { from, to, count }: StreamRange) {
    const entries = await this.#guard(() => this.#connection.xrange(key, from, to, 'COUNT', count))
    return entries.map(([id, fields]) => ({ id, fields }))
  }

  async lastInStream(key: string): Promise<string> {
    const [last] = await this.#guard(() => this.#connection.xrevrange(key, '+', '-', 'COUNT', 1))
    return last?.[0] ?? '0-0'
  }

  followStreams(after: ReadonlyMap<string, string>, ms: number, signal: AbortSignal) {
    return this.#guard(() => this.#streams.follow(after, { ms, signal }))
  }

  laneOf(key: string): string {
    return this.#streams.laneOf(key)
  }

  async time(): Promise<number> {
    const [seconds, micros] = await this.#guard(() => this.#connection.time())
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  async #guard<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    this.mustBeSafe()
    if (this.#strange) await this.#judgedAnew()
    try {
      return await call()
    } catch (error) {
      throw this.#fault(error)
    }
  }

  #fault(error: unknown): RedisDistroError {
    if (this.#closed)
      return new RedisDistroError('closed', `the connection to ${this.says} is closed`)
    return faultOf(error, this.says)
  }

  #sayAway(error: Error): void {
    if (this.#away || this.#closed) return
    this.#away = true
    this.#options.log.warn('Redis is away; trying again until it answers', {
      store: this.says,
      reason: error.message,
    })
  }

  #lacksDatabase(): RedisDistroError | undefined {
    if (this.#noDatabase === undefined) return undefined
    const words = `the database of ${this.says} cannot be used: ${this.#noDatabase.message}`
    return new RedisDistroError('unsafe_redis', words)
  }

  async #check(): Promise<void> {
    this.#judged = systemClock.monotonic()
    try {
      const server = readServer(await this.#connection.info())
      if (this.#away) this.#options.log.info('Redis answers again', { store: this.says })
      this.#away = false
      this.#flags = server.version[0] >= 7
      // Each thing is said once, not whenever the server is reached anew.
      const told = JSON.stringify(server)
      const log = told === this.#told ? unheard : this.#options.log
      this.#told = told
      const { allowEviction, prefix } = this.#options
      const { says } = this
      const refusal = judgeServer(server, { allowEviction, log, says })
      // At once, and not before all is known: what was refused must not slip through meanwhile.
      this.#unsafe =
        refusal ?? (await judgeFormat(this.#connection, { prefix, says, replica: server.replica }))
    } catch (error) {
      this.#options.log.warn('Redis was reached, but could not be asked what it is', {
        store: this.says,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
    this.#strange = false
  }
}
