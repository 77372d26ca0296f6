import { Worker } from 'node:worker_threads'
import type { HeldLease, KeeperOptions, LeaseKeeper } from '../../core/broker.js'
import type { Engine } from '../arguments.js'
import type { ConnectionSettings } from '../index.js'
import { partitionKeys } from '../keys.js'
import { renewScript } from '../scripts.js'
import { readOrders } from './orders.js'

type Message = { readonly lost: string } | { readonly stop: string; readonly orders: string }

/** How often orders are read and leases renewed, in ms; at least three times a lease. */
const intervalOf = (lease: number) => Math.max(50, Math.min(500, Math.floor(lease / 4)))

/** Between the failure of a thread and the next one, in ms. */
const respawnPause = 100

/** For a thread to end by itself, in ms; it may hang in the end of a connection. */
const lastMoment = 500

/**
 * Keeps leases from a thread, so that a handler which blocks the event loop does not cost the
 * process its tasks. The loop shows that it turns by a counter in shared memory.
 */
export class ThreadKeeper implements LeaseKeeper {
  readonly #engine: Engine
  readonly #leases = new Map<string, HeldLease>()
  readonly #turner: NodeJS.Timeout
  readonly #spawn: () => Worker
  #thread: Worker
  #respawn: NodeJS.Timeout | undefined
  #ended: Promise<unknown>
  #closed = false

  constructor(
    options: KeeperOptions,
    parts: { readonly engine: Engine; readonly connection: ConnectionSettings },
  ) {
    this.#engine = parts.engine
    const interval = intervalOf(options.lease)
    const turns = new SharedArrayBuffer(4)
    const counter = new Int32Array(turns)
    this.#turner = setInterval(() => Atomics.add(counter, 0, 1), interval / 2)
    this.#turner.unref()
    const { lease, maxBlocked, log } = options
    const { connection } = parts
    const { plain } = renewScript
    this.#spawn = () => {
      const thread = new Worker(new URL('./lease-thread.js', import.meta.url), {
        workerData: { connection, lease, maxBlocked, interval, turns, plain },
        execArgv: [],
      })
      thread.on('message', (message: Message) => this.#hear(message))
      thread.on('error', (error) => this.#replace(error, log))
      this.#ended = new Promise((resolve) => thread.once('exit', resolve))
      thread.unref()
      return thread
    }
    this.#ended = Promise.resolve()
    this.#thread = this.#spawn()
  }

  /** Another thread goes on with the same leases, well before they end by themselves. */
  #replace(error: unknown, log: KeeperOptions['log']): void {
    if (this.#closed) return
    log('the lease thread has failed; another one goes on with its leases', { err: error })
    this.#respawn = setTimeout(() => {
      this.#thread = this.#spawn()
      for (const lease of this.#leases.values()) this.#post(lease)
    }, respawnPause)
  }

  hold(lease: HeldLease): void {
    this.#leases.set(lease.worker, lease)
    this.#post(lease)
  }

  #post(lease: HeldLease): void {
    const keys = partitionKeys(this.#engine.prefix, lease.partition)
    this.#thread.postMessage({
      hold: { worker: lease.worker, keys: renewScript.keys.map((name) => keys[name]), heard: '' },
    })
  }

  drop(worker: string): void {
    this.#leases.delete(worker)
    this.#thread.postMessage({ drop: worker })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#turner)
    clearTimeout(this.#respawn)
    this.#thread.postMessage({ close: true })
    const end = setTimeout(() => this.#thread.terminate(), lastMoment)
    await this.#ended
    clearTimeout(end)
  }

  #hear(message: Message): void {
    if ('lost' in message) {
      const lease = this.#leases.get(message.lost)
      if (lease) this.#lose(lease)
    } else {
      this.#leases.get(message.stop)?.onStop(readOrders(message.orders))
    }
  }

  #lose(lease: HeldLease): void {
    this.#leases.delete(lease.worker)
    lease.onLost()
  }
}
