import { systemClock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { faultOf } from './fault.js'
import { fieldMark, inDialect, readAnswer, readEntry } from './memory/dialect.js'
import {
  enterRoom,
  leaveRoom,
  type MockRedis,
  nextScript,
  type Room,
  takeMark,
} from './memory/room.js'
import type { Script } from './script.js'
import type { ScriptStore, StreamEntry, StreamRange } from './script-store.js'

/** Entries of a stream in one answer. */
const mostEntries = 100

const all = ['COUNT', '1000000000'] as const

/**
 * The in-process store, for a first run without Redis: ioredis-mock runs the same scripts. Nothing
 * survives the process, and no second process sees it. Stores of one name share what they hold.
 * The mock runs a script in one go, so that each is atomic. As on Redis, a script that fails stops
 * where it is, and its caller gets the error.
 */
export class MemoryStore implements ScriptStore {
  readonly says = 'the in-process store (nothing survives a restart; it serves this process only)'
  readonly shared = false
  readonly #name: string
  readonly #ends = new Set<() => void>()
  #room: Room | undefined
  #closed = false

  constructor(name: string) {
    this.#name = name
  }

  mustBeSafe(): void {}

  async open(): Promise<void> {
    this.#enter()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (!this.#room) return
    leaveRoom(this.#name, this.#room)
    this.#room = undefined
    for (const end of this.#ends) end()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    const text = inDialect(script.plain.text)
    const values = [...keys, ...args].map(String)
    const room = this.#enter()
    const reply = this.#guard(() => room.redis.eval(text, keys.length, ...values))
    if (script.keys.includes('wake') || script.keys.includes('events'))
      for (const look of room.waiting) look()
    return readAnswer((await reply) as string)
  }

  async block(key: string, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return
    const wait = this.#beginWait(ms, signal)
    await takeMark(this.#enter(), key, wait.signal)
    wait.end()
  }

  release(): void {
    // Nothing is taken for waiting.
  }

  async scanHash(key: string) {
    const flat = await this.#scan((redis) => redis.hscan(key, '0', ...all))
    const pairs = flat.map((item, i) => (i % 2 ? item : item.slice(fieldMark.length)))
    return { cursor: '0', pairs }
  }

  async readHash(key: string): Promise<Record<string, string>> {
    const { pairs } = await this.scanHash(key)
    return Object.fromEntries(inPairs(pairs))
  }

  async writeHash(key: string, fields: Record<string, string>): Promise<void> {
    const pairs = Object.entries(fields).flatMap(([field, value]) => [fieldMark + field, value])
    if (pairs.length > 0) await this.#guard(() => this.#enter().redis.hset(key, ...pairs))
  }

  async readScores(key: string): Promise<[string, number][]> {
    const flat = await this.#scan((redis) => redis.zscan(key, '0', ...all))
    const scores = inPairs(flat).map(([member, score]): [string, number] => [member, Number(score)])
    return scores.sort((a, b) => a[1] - b[1])
  }

  async readStream(key: string, { from, to, count }: StreamRange): Promise<StreamEntry[]> {
    const entries = await this.#entriesFrom(key, from === '-' ? 0 : placeOf(from))
    return entries.filter(({ id }) => to === '+' || placeOf(id) <= placeOf(to)).slice(0, count)
  }

  async lastInStream(key: string): Promise<string> {
    return (await this.#lastEntries(key, 1)).at(-1)?.id ?? '0-0'
  }

  async followStreams(after: ReadonlyMap<string, string>, ms: number, signal: AbortSignal) {
    const found = new Map<string, StreamEntry[]>()
    const wait = this.#beginWait(ms, signal)
    try {
      while (found.size === 0 && !wait.signal.aborted) {
        const next = nextScript(this.#enter(), wait.signal)
        for (const [key, last] of after) {
          const entries = await this.#entriesFrom(key, placeOf(last) + 1)
          if (entries.length > 0) found.set(key, entries.slice(0, mostEntries))
        }
        if (found.size === 0) await next
      }
      return found
    } finally {
      wait.end()
    }
  }

  laneOf(): string {
    return ''
  }

  async time(): Promise<number> {
    return systemClock.now()
  }

  /** Those of a stream from an id on; what is before them is not read, since ids follow each other. */
  async #entriesFrom(key: string, place: number): Promise<StreamEntry[]> {
    for (let most = 1; ; most *= 10) {
      const entries = await this.#lastEntries(key, most)
      const [first] = entries
      if (first && entries.length === most && placeOf(first.id) > place) continue
      return entries.filter(({ id }) => placeOf(id) >= place)
    }
  }

  /** All, where there are no more. */
  async #lastEntries(key: string, most: number): Promise<StreamEntry[]> {
    const { redis } = this.#enter()
    const from = (first: number) => this.#guard(() => redis.lrange(key, first, -1))
    const texts = await from(-most)
    // Where there are fewer, the mock takes a place before the first for one further behind.
    return (texts.length < most ? await from(0) : texts).map(readEntry)
  }

  /** A wait of at most `ms`, which ends with its signal and with the store; `end` gives back what it took. */
  #beginWait(ms: number, outer: AbortSignal) {
    const stop = new AbortController()
    const { signal } = stop
    const timer = setTimeout(() => stop.abort(), ms)
    const end = () => {
      clearTimeout(timer)
      outer.removeEventListener('abort', end)
      this.#ends.delete(end)
      stop.abort()
    }
    outer.addEventListener('abort', end, { once: true })
    this.#ends.add(end)
    if (outer.aborted) end()
    return { signal, end }
  }

  async #scan(scan: (redis: MockRedis) => Promise<[string, string[]]>): Promise<string[]> {
    return (await this.#guard(() => scan(this.#enter().redis)))[1]
  }

  #enter(): Room {
    if (this.#closed) throw new RedisDistroError('closed', `${this.says} is closed`)
    this.#room ??= enterRoom(this.#name)
    return this.#room
  }

  async #guard<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof RedisDistroError) throw error
      throw faultOf(asReply(error), this.says)
    }
  }
}

/** Ids here are a number each: `7-0`. */
const placeOf = (id: string): number => Number.parseInt(id, 10)

/** The store always answers: what it throws is a refusal in Redis's sense, never a lost answer. */
function asReply(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  const reply = new Error(message.replace(/^Error trying .*? in VM: /, ''), { cause: error })
  reply.name = 'ReplyError'
  return reply
}

function inPairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((item, i) => (i % 2 ? [] : [[item, flat[i + 1] ?? ''] as [string, string]]))
}
