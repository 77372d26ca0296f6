import type { Cluster, Redis } from 'ioredis'
import type { ConnectionSettings } from './index.js'
import { openConnection } from './ioredis.js'
import type { StreamEntry } from './script-store.js'

type Connection = Redis | Cluster
type Signals = { readonly ms: number; readonly signal: AbortSignal }

/** Entries of a stream in one answer. */
const mostEntries = 100

/**
 * Streams, each followed from an id of its own: all by one connection, since the waiting blocks it,
 * but on a cluster, which refuses keys of two slots in one call, each by its own.
 */
export class FollowedStreams {
  readonly #settings: ConnectionSettings
  readonly #connections = new Map<string, Connection>()
  #closed = false

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  laneOf(key: string): string {
    return 'cluster' in this.#settings ? key : ''
  }

  /**
   * Empty when `ms` are over, or at the abort, which also after the answer gives up the connection.
   * @throws what Redis answers, or that it is away
   */
  async follow(
    after: ReadonlyMap<string, string>,
    { ms, signal }: Signals,
  ): Promise<Map<string, StreamEntry[]>> {
    if (this.#closed) throw new Error('streams are followed no more')
    const [first = ''] = after.keys()
    const lane = this.laneOf(first)
    const giveUp = () => this.#drop(lane)
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    // A half-open connection answers nothing: past the deadline it is given up.
    const deadline = setTimeout(giveUp, ms + 1000)
    try {
      if (signal.aborted) return new Map()
      const connection = this.#connectionFor(lane)
      await untilReady(connection, { ms, signal })
      if (signal.aborted) return new Map()
      const words = [...after.keys(), ...after.values()]
      const reply = await connection.xread('COUNT', mostEntries, 'BLOCK', ms, 'STREAMS', ...words)
      return new Map(
        (reply ?? []).map(([key, entries]) => [
          key,
          entries.map(([id, fields]) => ({ id, fields })),
        ]),
      )
    } catch (error) {
      if (signal.aborted) return new Map()
      throw error
    } finally {
      clearTimeout(deadline)
    }
  }

  close(): void {
    this.#closed = true
    for (const lane of [...this.#connections.keys()]) this.#drop(lane)
  }

  #connectionFor(lane: string): Connection {
    const known = this.#connections.get(lane)
    if (known) return known
    const connection = openConnection(this.#settings, { name: 'redisdistro-events' })
    connection.on('error', () => undefined)
    connection.connect().catch(() => undefined)
    this.#connections.set(lane, connection)
    return connection
  }

  #drop(lane: string): void {
    this.#connections.get(lane)?.disconnect()
    this.#connections.delete(lane)
  }
}

/** Waits for a connection to come about; what is sent fails where it has not. */
async function untilReady(connection: Connection, { ms, signal }: Signals): Promise<void> {
  if (connection.status === 'ready') return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => done(), Math.min(ms, 1000))
    const done = () => {
      clearTimeout(timer)
      connection.removeListener('ready', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    connection.once('ready', done)
    signal.addEventListener('abort', done, { once: true })
  })
}
