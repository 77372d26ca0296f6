import { Redis } from 'ioredis'
import * as movement from '../../../src/broker/movement-scripts.js'
import * as queries from '../../../src/broker/query-scripts.js'
import { createRedisBroker } from '../../../src/broker/redis-broker.js'
import * as scripts from '../../../src/broker/scripts.js'
import type { Broker, LeasedTask, NewTask, SettledOutcome } from '../../../src/core/broker.js'
import { states } from '../../../src/core/state.js'
import { silentLog } from '../../../src/telemetry/log.js'

/** How many tasks lie in a store when its scripts are measured. */
export interface BacklogSize {
  readonly ready: number
  readonly delayed: number
  readonly dead: number
}

const day = 86_400_000
const partition = { queue: 'default', index: 0, of: 1 }
const kept = { age: 90 * day, count: 10_000_000 }
const failed = { name: 'Error', message: 'it broke', code: 'failed' }
const about = { host: 'here', pid: 1, concurrency: 10, startedAt: 0 }

/** A store with a backlog, on a redis-server of its own; each script is called as the product calls it. */
export class Backlog {
  readonly redis: Redis
  readonly #broker: Broker
  #made = 0
  #worker = ''

  constructor(url: string) {
    this.redis = new Redis(url)
    this.#broker = createRedisBroker({
      connection: { url },
      prefix: 'b',
      commandTimeout: 60_000,
      allowEviction: false,
      log: silentLog,
    })
  }

  async open(): Promise<void> {
    await this.#broker.open()
    await this.#join()
  }

  async close(): Promise<void> {
    this.redis.disconnect()
    await this.#broker.close()
  }

  async #join(): Promise<void> {
    this.#made += 1
    this.#worker = `w${this.#made}`
    await this.#broker.join(partition, this.#worker, 3_600_000, about)
  }

  #tasks(amount: number, parts: Partial<NewTask> = {}): NewTask[] {
    const body = { type: 'job', payload: { n: 1 }, enqueuedAt: 1, overrides: {}, tags: [] }
    return Array.from({ length: amount }, (): NewTask => {
      this.#made += 1
      return { id: `t${this.#made}`, priority: 'normal', deadLetter: 'dead', body, ...parts }
    })
  }

  async #add(amount: number, parts: Partial<NewTask> = {}): Promise<string[]> {
    const tasks = this.#tasks(amount, parts)
    await this.#broker.enqueue(partition, tasks, false)
    return tasks.map(({ id }) => id)
  }

  async #lease(wanted: number): Promise<LeasedTask[]> {
    const call = { worker: this.#worker, settled: [], wanted, promote: false }
    const reply = await this.#broker.cycle(partition, { ...call, retention: kept })
    return reply.lost ? [] : [...reply.leased]
  }

  async #settle(tasks: readonly LeasedTask[], outcome: SettledOutcome, wanted = 0) {
    const times = { startedAt: 1, endedAt: 2, progressed: false }
    const settled = tasks.map((task) => ({ task, outcome, ...times }))
    const call = { worker: this.#worker, settled, wanted, promote: true, retention: kept }
    const reply = await this.#broker.cycle(partition, call)
    return reply.lost ? [] : [...reply.leased]
  }

  async fill(size: BacklogSize, progress: (words: string) => void): Promise<void> {
    for (let done = 0; done < size.dead; done += 500) {
      await this.#add(500)
      await this.#settle(await this.#lease(500), { name: 'bury', error: failed })
    }
    for (let done = 0; done < size.delayed; done += 250) await this.#add(250, { due: { in: day } })
    for (let done = 0; done < size.ready; done += 250) {
      await this.#add(250)
      if (done % 50_000 === 0) progress(`${done} of ${size.ready} lie ready`)
    }
  }

  /** Every call that the product makes to a partition, each in its largest form. */
  async useAll(): Promise<void> {
    const broker = this.#broker
    const soon = { due: { in: 1 } }
    await this.#add(250)
    await broker.enqueue(partition, this.#tasks(250, { fingerprint: 'f', expiresIn: day }), false)
    await this.#add(250, { due: { in: day }, unique: { key: `u${this.#made}`, for: 1000 } })
    const late = await this.#add(250, soon)
    const first = await this.#lease(250)
    const second = await this.#settle(first, { name: 'complete', result: 1 }, 250)
    const third = await this.#settle(second, { name: 'retry', after: 1, error: failed }, 250)
    const [task] = third
    if (task) await broker.progress(partition, this.#worker, task, 1)
    await this.#settle(third.slice(0, 100), { name: 'bury', error: failed })
    await broker.giveBack(partition, this.#worker, third.slice(100))
    await this.#operate(late)
    await this.#lose()
  }

  /** What people do: pages of 50 as a rule, sweeps over dead letters by 100. */
  async #operate(late: readonly string[]): Promise<void> {
    const broker = this.#broker
    await broker.list(partition, { state: 'waiting', limit: 250 })
    for (const state of states) {
      const page = await broker.list(partition, { state, limit: 50 })
      if (page.next) await broker.list(partition, { state, limit: 50, after: page.next })
      await broker.find(
        partition,
        page.tasks.map(({ id }) => id),
      )
    }
    const call = { state: 'dead', deadLetter: 'dead', limit: 100 } as const
    const dead = await broker.list(partition, call)
    const ids = dead.tasks.map(({ id }) => id)
    await broker.requeue(partition, ids)
    await broker.cancel(partition, ids)
    await broker.erase(partition, ids)
    await broker.promote(partition, late.slice(0, 50))
    await broker.remembered(partition, late)
    await broker.counts(partition)
    await broker.stats(partition, 5)
    await broker.workers(partition)
    await broker.deadLetters(partition)
    await broker.pause(partition, true)
    await broker.pause(partition, false)
  }

  /** A worker is lost with 500 tasks, a round of retention goes over everything. */
  async #lose(): Promise<void> {
    await this.#lease(500)
    await this.redis.zadd('b:{default}:workers', 0, this.#worker)
    await this.#broker.rescue(partition, 3_600_000)
    await this.#join()
    const ended = await this.#broker.counts(partition)
    const limit = (state: 'completed' | 'dead' | 'cancelled') => ({
      age: day,
      count: Math.max(0, ended.depth[state] - 500),
    })
    await this.#broker.prune(partition, {
      completed: limit('completed'),
      dead: limit('dead'),
      cancelled: limit('cancelled'),
    })
    await this.#broker.leave(partition, this.#worker)
    await this.#join()
  }
}

const bySha = new Map(
  [scripts, queries, movement]
    .flatMap((room) => Object.values(room))
    .flatMap((script) =>
      [script.plain, script.flagged].map(({ sha }) => [sha, script.name] as const),
    ),
)

/** The same work each time: what it takes longer than at best is the machine's doing. */
export const yardstick = 'local x = 0 for i = 1, 400000 do x = x + i end return x'

/** What Redis's own slow log says of each script and of the yardstick, in µs; the log is emptied. */
export async function readRuns(redis: Redis): Promise<Map<string, number[]>> {
  const entries = (await redis.slowlog('GET', '100000')) as [number, number, number, string[]][]
  await redis.slowlog('RESET')
  const runs = new Map<string, number[]>()
  for (const [, , micros, [command = '', sha = '']] of entries) {
    const name = sha === yardstick ? 'yardstick' : bySha.get(sha)
    if (name && /^eval(sha)?$/i.test(command)) runs.set(name, [...(runs.get(name) ?? []), micros])
  }
  return runs
}

/** How often each command ran so far, those inside of scripts counted. */
export async function readCalls(redis: Redis): Promise<Map<string, number>> {
  const text = await redis.info('commandstats')
  const lines = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
  return new Map(lines.map(([, name = '', calls]) => [name, Number(calls)]))
}
