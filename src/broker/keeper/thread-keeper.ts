import { Worker } from 'node:worker_threads'
import type { HeldLease, KeeperOptions, LeaseKeeper } from '../../core/broker.js'
import type { Engine } from '../arguments.js'
import type { ConnectionSettings } from '../index.js'
import { partitionKeys } from '../keys.js'
import { renewScript } from '../scripts.js'

type Message = { readonly lost: string } | { readonly stop: string; readonly ids: string[] }

/** How often orders are read and leases renewed, in ms; at least three times a lease. */
const intervalOf = (lease: number) => Math.max(50, Math.min(500, Math.floor(lease / 4)))

/**
 * Keeps leases from a thread, so that a handler which blocks the event loop does not cost the
 * process its tasks. The loop shows that it turns by a counter in shared memory.
 */
export class ThreadKeeper implements LeaseKeeper {
  readonly #engine: Engine
  readonly #thread: Worker
  readonly #leases = new Map<string, HeldLease>()
  readonly #turner: NodeJS.Timeout
  readonly #ended: Promise<void>

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
    this.#thread = new Worker(new URL('./lease-thread.js', import.meta.url), {
      workerData: {
        connection: parts.connection,
        lease: options.lease,
        maxBlocked: options.maxBlocked,
        interval,
        turns,
        plain: renewScript.plain,
      },
      execArgv: [],
    })
    this.#thread.on('message', (message: Message) => this.#hear(message))
    this.#thread.on('error', (error) => {
      // Without the thread no lease would be renewed: everything that is held counts as lost.
      options.log('the lease thread has failed; leases are given up', { err: error })
      for (const lease of [...this.#leases.values()]) this.#lose(lease)
    })
    this.#ended = new Promise((resolve) => this.#thread.once('exit', () => resolve()))
    this.#thread.unref()
  }

  hold(lease: HeldLease): void {
    this.#leases.set(lease.worker, lease)
    const keys = partitionKeys(this.#engine.prefix, lease.partition)
    this.#thread.postMessage({
      hold: { worker: lease.worker, keys: renewScript.keys.map((name) => keys[name]) },
    })
  }

  drop(worker: string): void {
    this.#leases.delete(worker)
    this.#thread.postMessage({ drop: worker })
  }

  async close(): Promise<void> {
    clearInterval(this.#turner)
    this.#thread.postMessage({ close: true })
    await this.#ended
  }

  #hear(message: Message): void {
    if ('lost' in message) {
      const lease = this.#leases.get(message.lost)
      if (lease) this.#lose(lease)
    } else {
      this.#leases.get(message.stop)?.onStop(message.ids)
    }
  }

  #lose(lease: HeldLease): void {
    this.#leases.delete(lease.worker)
    lease.onLost()
  }
}
