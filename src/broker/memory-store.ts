import { createRequire } from 'node:module'
import { systemClock } from '../core/clock.js'
import { faultOf } from './fault.js'
import type { Script } from './script.js'
import type { ScriptStore } from './script-store.js'

/** The part of ioredis-mock that is used here. */
interface MockRedis {
  eval(text: string, keys: number, ...values: string[]): Promise<unknown>
  lpop(key: string): Promise<string | null>
  hscan(key: string, cursor: string): Promise<[string, string[]]>
  hgetall(key: string): Promise<Record<string, string>>
  hset(key: string, fields: Record<string, string>): Promise<number>
  zrange(key: string, start: number, stop: number, option: 'WITHSCORES'): Promise<string[]>
  disconnect(): void
}

const waitStep = 15

/**
 * The in-process store, for a first run without Redis: ioredis-mock runs the same scripts. Nothing
 * survives the process, and no second process sees it. Stores of one name share what they hold.
 */
export class MemoryStore implements ScriptStore {
  readonly says = 'the in-process store (nothing survives a restart; it serves this process only)'
  readonly shared = false
  readonly #name: string
  #redis: MockRedis | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string) {
    this.#name = name
  }

  async open(): Promise<void> {
    if (this.#redis) return
    // Loaded only here: no one who has a Redis pays for it.
    const require = createRequire(import.meta.url)
    const { Command } = require('ioredis') as { Command: { _transformer: { reply: Record<string, Transform> } } }
    patchReplies(Command._transformer.reply)
    const Mock = require('ioredis-mock') as new (options: { host: string; port: number }) => MockRedis
    this.#redis = new Mock({ host: `redisdistro-${this.#name}`, port: 1 })
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
    this.#redis?.disconnect()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    const values = [...keys, ...args].map(String)
    // One at a time: the mock yields inside a script, and a script is atomic.
    return this.#inTurn((redis) => redis.eval(script.plain.text, keys.length, ...values))
  }

  async block(key: string, ms: number, signal: AbortSignal): Promise<void> {
    const end = systemClock.monotonic() + ms
    while (!signal.aborted && systemClock.monotonic() < end) {
      if ((await this.#inTurn((redis) => redis.lpop(key))) !== null) return
      await new Promise<void>((resolve) => setTimeout(resolve, waitStep))
    }
  }

  async scanHash(key: string) {
    const fields = await this.readHash(key)
    return { cursor: '0', pairs: Object.entries(fields).flat() }
  }

  readHash(key: string): Promise<Record<string, string>> {
    return this.#inTurn((redis) => redis.hgetall(key))
  }

  async writeHash(key: string, fields: Record<string, string>): Promise<void> {
    if (Object.keys(fields).length > 0) await this.#inTurn((redis) => redis.hset(key, fields))
  }

  async readScores(key: string): Promise<[string, number][]> {
    const flat = await this.#inTurn((redis) => redis.zrange(key, 0, -1, 'WITHSCORES'))
    return flat.flatMap((member, i) => (i % 2 ? [] : [[member, Number(flat[i + 1])] as [string, number]]))
  }

  async time(): Promise<number> {
    return systemClock.now()
  }

  #inTurn<Answer>(work: (redis: MockRedis) => Promise<Answer>): Promise<Answer> {
    const turn = this.#last.then(async () => {
      if (!this.#redis) await this.open()
      try {
        return await work(this.#redis as MockRedis)
      } catch (error) {
        throw faultOf(error, this.says)
      }
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

type Transform = (value: unknown, options?: { protocol: number; replyMapping: string }) => unknown

const patched = new WeakSet<object>()

/** ioredis 6 hands its reply transformers the protocol as well; the mock, made for 5, does not. */
function patchReplies(reply: Record<string, Transform>): void {
  if (patched.has(reply)) return
  patched.add(reply)
  for (const [name, transform] of Object.entries(reply)) {
    reply[name] = (value, options) => transform(value, options ?? { protocol: 2, replyMapping: 'legacy' })
  }
}
