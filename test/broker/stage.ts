import { randomUUID } from 'node:crypto'
import type { ConnectionSettings } from '../../src/broker/index.js'
import { createRedisBroker } from '../../src/broker/redis-broker.js'
import type {
  Broker,
  CycleReply,
  LeasedTask,
  NewTask,
  Partition,
  SettledOutcome,
  Settlement,
  StoredTask,
} from '../../src/core/broker.js'
import type { State } from '../../src/core/state.js'
import { silentLog } from '../../src/telemetry/log.js'

/** A broker under a clock of the test's own, with the moves that tests make again and again. */
export class Stage {
  readonly broker: Broker
  readonly partition: Partition = { queue: 'default', index: 0, of: 1 }
  readonly worker = 'w1'
  readonly prefix = `t:${randomUUID().slice(0, 8)}`
  now = 1_764_000_000_000
  keep = 1000
  #made = 0

  constructor(connection: ConnectionSettings) {
    this.broker = createRedisBroker({
      connection,
      prefix: this.prefix,
      commandTimeout: 5000,
      allowEviction: false,
      log: silentLog,
      clock: { now: () => this.now, monotonic: () => this.now },
    })
  }

  async open(): Promise<void> {
    await this.broker.open()
    await this.join(this.worker)
  }

  join(worker: string, lease = 30_000): Promise<void> {
    const details = { host: 'here', pid: 1, concurrency: 10, startedAt: this.now }
    return this.broker.join(this.partition, worker, lease, details)
  }

  task(parts: Partial<NewTask> = {}, payload: unknown = { n: 1 }): NewTask {
    this.#made += 1
    return {
      id: `task-${this.#made}`,
      priority: 'normal',
      deadLetter: 'dead',
      body: { type: 'noop', payload, enqueuedAt: this.now, overrides: {}, tags: [] },
      ...parts,
    }
  }

  async add(parts: Partial<NewTask> = {}, payload?: unknown): Promise<string> {
    const [made] = await this.broker.enqueue(this.partition, [this.task(parts, payload)], false)
    return made?.id ?? ''
  }

  async cycle(
    parts: { settled?: Settlement[]; wanted?: number; promote?: boolean; worker?: string } = {},
  ): Promise<Extract<CycleReply, { lost: false }>> {
    const reply = await this.tryCycle(parts)
    if (reply.lost) throw new Error('the lease was lost')
    return reply
  }

  tryCycle(
    parts: { settled?: Settlement[]; wanted?: number; promote?: boolean; worker?: string } = {},
  ): Promise<CycleReply> {
    return this.broker.cycle(this.partition, {
      worker: parts.worker ?? this.worker,
      settled: parts.settled ?? [],
      wanted: parts.wanted ?? 0,
      promote: parts.promote ?? false,
      retention: { age: 86_400_000, count: this.keep },
    })
  }

  async lease(wanted = 1, worker = this.worker): Promise<LeasedTask[]> {
    return [...(await this.cycle({ wanted, worker })).leased]
  }

  async leaseOne(worker = this.worker): Promise<LeasedTask> {
    const [task] = await this.lease(1, worker)
    if (!task) throw new Error('nothing to lease')
    return task
  }

  settlement(task: LeasedTask, outcome: SettledOutcome): Settlement {
    return { task, outcome, startedAt: this.now - 5, endedAt: this.now, progressed: false }
  }

  settle(task: LeasedTask, outcome: SettledOutcome, worker = this.worker) {
    return this.cycle({ settled: [this.settlement(task, outcome)], worker })
  }

  async find(id: string): Promise<StoredTask | undefined> {
    return (await this.broker.find(this.partition, [id]))[0]
  }

  async state(id: string): Promise<State | 'gone'> {
    return (await this.find(id))?.state ?? 'gone'
  }

  /** A task in the state that is asked for, and its last lease where it had one. */
  async bring(
    state: State,
    parts: Partial<NewTask> = {},
  ): Promise<{ id: string; lease?: LeasedTask }> {
    if (state === 'scheduled') return { id: await this.add({ ...parts, due: { in: 60_000 } }) }
    const id = await this.add(parts)
    if (state === 'waiting') return { id }
    const lease = await this.leaseOne()
    if (state === 'retryable') await this.settle(lease, { name: 'retry', after: 60_000, error })
    if (state === 'completed') await this.settle(lease, { name: 'complete', result: 1 })
    if (state === 'dead') await this.settle(lease, { name: 'bury', error })
    if (state === 'cancelled') await this.broker.cancel(this.partition, [id])
    return { id, lease }
  }
}

export const error = { name: 'Error', message: 'it broke', code: 'failed' }
