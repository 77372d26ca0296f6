import type { HeldLease, KeeperOptions, LeaseKeeper } from '../../core/broker.js'
import { type Engine, runScript } from '../arguments.js'
import { renewScript } from '../scripts.js'
import { readOrders } from './orders.js'

/** Keeps leases on the event loop: for the in-process store, which has no second process to fear. */
export class LoopKeeper implements LeaseKeeper {
  readonly #engine: Engine
  readonly #lease: number
  readonly #leases = new Map<string, HeldLease>()
  /** By worker, the orders that the next renewal acknowledges. */
  readonly #heard = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> = Promise.resolve()

  constructor(options: KeeperOptions, engine: Engine) {
    this.#engine = engine
    this.#lease = options.lease
    const interval = Math.max(50, Math.min(500, Math.floor(options.lease / 4)))
    this.#timer = setInterval(() => {
      // A renewal that failed is tried again; it must not be the last one.
      this.#round = this.#round.then(() => this.#renewAll()).catch(() => undefined)
    }, interval)
    this.#timer.unref()
  }

  hold(lease: HeldLease): void {
    this.#leases.set(lease.worker, lease)
  }

  drop(worker: string): void {
    this.#leases.delete(worker)
    this.#heard.delete(worker)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#round
  }

  async #renewAll(): Promise<void> {
    for (const held of [...this.#leases.values()]) {
      const heard = this.#heard.get(held.worker) ?? ''
      const named = { worker: held.worker, lease_: this.#lease, heard }
      const call = { script: renewScript, partition: held.partition, named }
      const [word, orders = ''] = (await runScript(this.#engine, call)) as [string, string?]
      if (!this.#leases.has(held.worker)) continue
      if (word === 'lost') {
        this.drop(held.worker)
        held.onLost()
      } else if (orders !== heard) {
        this.#heard.set(held.worker, orders)
        if (orders !== '') held.onStop(readOrders(orders))
      }
    }
  }
}
