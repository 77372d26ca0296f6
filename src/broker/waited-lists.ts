import type { Cluster, Redis } from 'ioredis'
import type { ConnectionSettings } from './index.js'
import { openConnection } from './ioredis.js'

type Connection = Redis | Cluster

/** Waiting at lists for a mark, each by a connection of its own, since the waiting blocks it. */
export class WaitedLists {
  readonly #settings: ConnectionSettings
  readonly #connections = new Map<string, Connection>()
  /** How many wait at a list. */
  readonly #waiters = new Map<string, number>()

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  /** Waits until a mark lies in the list, then takes it; at most `ms`. Never throws. */
  async block(key: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const connection = this.#connectionFor(key)
    this.#waiters.set(key, (this.#waiters.get(key) ?? 0) + 1)
    const ended = withResolvers()
    const finish = () => ended.resolve()
    const giveUp = () => {
      this.#drop(key)
      finish()
    }
    // A half-open connection answers nothing: past the deadline it is given up.
    const deadline = setTimeout(giveUp, ms + 1000)
    signal.addEventListener('abort', giveUp, { once: true })
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
    clearTimeout(deadline)
    signal.removeEventListener('abort', giveUp)
    const left = (this.#waiters.get(key) ?? 1) - 1
    if (left > 0) this.#waiters.set(key, left)
    else this.#waiters.delete(key)
  }

  /** Gives up what waiting at a list took; whoever still waits there is not disturbed. */
  release(key: string): void {
    if (!this.#waiters.get(key)) this.#drop(key)
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.disconnect()
    this.#connections.clear()
  }

  #connectionFor(key: string): Connection {
    const known = this.#connections.get(key)
    if (known) return known
    const connection = openConnection(this.#settings, { name: 'redisdistro-wait' })
    connection.on('error', () => undefined)
    connection.connect().catch(() => undefined)
    this.#connections.set(key, connection)
    return connection
  }

  #drop(key: string): void {
    this.#connections.get(key)?.disconnect()
    this.#connections.delete(key)
  }
}

function withResolvers() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
