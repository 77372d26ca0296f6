import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Broker, Partition } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import type { Life } from '../core/life.js'
import type { QueueWorkerOptions } from './options.js'
import { Pump } from './pump.js'
import { wordsOf } from './settle-apart.js'

/** Between tries to take a lease while Redis is away, in ms. */
const joinPause = 100

/**
 * A name that is never used again. The 48 random digits, half of them the process's own, are more than
 * chance asks for: Redis keeps a hash with a value of more than 64 bytes as a table, and searches a
 * smaller one from end to end, which would be the dearest part of a lease in `active`.
 */
const newName = (life: Life): string =>
  `${hostname().replace(/[^\w.-]/g, '')}:${process.pid}:${life}${randomBytes(12).toString('hex')}`

/**
 * Works one partition of one queue. Its duties: take a lease under a name never used before, have it
 * kept, run the pump under it; when the lease is lost, abort what runs and begin again under a new
 * name; on stop, let handlers end within the grace, give back the rest and end the lease.
 */
export class QueueWorker {
  readonly #options: QueueWorkerOptions
  readonly #stop = new AbortController()
  #pump: Pump | undefined
  #life: Promise<void> = Promise.resolve()
  #healthy = false
  /** True from the first try to take a lease that failed, until one succeeds. */
  #waiting = false
  #left = true

  constructor(options: QueueWorkerOptions) {
    this.#options = options
  }

  /** True while it holds a lease and its last cycle was answered. */
  get healthy(): boolean {
    return this.#healthy && (this.#pump?.healthy ?? false)
  }

  /** False from the first lease on, until the last one was lost or given back. */
  get left(): boolean {
    return this.#left
  }

  start(): void {
    this.#life = this.#live()
  }

  /** Resolves when nothing of this worker runs or is held any more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#life
  }

  async #live(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const worker = newName(this.#options.life)
      if (!(await this.#join(worker))) continue
      this.#healthy = true
      const ended = await this.#work(worker)
      this.#healthy = false
      if (ended === 'lost') {
        this.#options.log.warn('The lease was lost; beginning again under a new name', { worker })
        this.#options.counters.add('redisdistro_leases_lost_total', {
          queue: this.#options.partition.queue,
        })
      }
    }
  }

  async #join(worker: string): Promise<boolean> {
    const { broker, partition, settings, concurrency, clock } = this.#options
    try {
      await broker.join(partition, worker, settings.lease, {
        host: hostname(),
        pid: process.pid,
        concurrency,
        startedAt: clock.now(),
      })
      this.#waiting = false
      return true
    } catch (error) {
      if (!this.#waiting) {
        const fields = { queue: partition.queue, reason: wordsOf(error) }
        this.#options.log.warn('No lease could be taken; trying again until one is', fields)
      }
      this.#waiting = true
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, joinPause)
        const { signal } = this.#stop
        function done() {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done)
      })
      return false
    }
  }

  async #work(worker: string): Promise<'lost' | 'stopped'> {
    const { broker, partition, keeper } = this.#options
    const pump = new Pump(worker, this.#options)
    this.#left = false
    this.#pump = pump
    keeper.hold({
      partition,
      worker,
      onLost: () => pump.lose(),
      onStop: (ids) => pump.cancel(ids),
    })
    const onStop = () => pump.stop()
    this.#stop.signal.addEventListener('abort', onStop, { once: true })
    if (this.#stop.signal.aborted) pump.stop()
    const ended = await pump.run()
    this.#stop.signal.removeEventListener('abort', onStop)
    keeper.drop(worker)
    this.#left = ended === 'lost' || (await this.#leave(broker, partition, worker))
    return ended
  }

  async #leave(broker: Broker, partition: Partition, worker: string): Promise<boolean> {
    try {
      await broker.leave(partition, worker)
      return true
    } catch (error) {
      const code = error instanceof RedisDistroError ? error.code : 'internal'
      this.#options.log.warn('The lease could not be given back; it runs out by itself', {
        worker,
        code,
      })
      return false
    }
  }
}
