import { Cluster, Command, type Redis } from 'ioredis'
import { systemClock } from '../core/clock.js'
import { RedisDistroError } from '../core/errors.js'
import { isRefusedSelect } from './break-off.js'
import type { Proof } from './durability.js'
import type { BrokerOptions } from './index.js'
import { openConnection } from './ioredis.js'

/** A script on its way, and what must be heard behind it. */
interface Journey {
  readonly proof: Proof
  /** When its call must have settled, by the monotonic clock. */
  readonly end: number
  /** Of the node that took it last. */
  proven?: Promise<Proven>
}

/** What the proof's command was answered, and how long it was given; an error where there was none. */
export interface Proven {
  readonly answer: unknown
  readonly ms: number
}

/**
 * Time for an answer to come back, in ms; of the whole at most a third. An idle Redis looks ten times in
 * a second whether somebody has waited long enough.
 */
const wayBack = 150

/**
 * A connection whose scripts are each followed by the command that proves them. That command goes out
 * in the same turn on the same socket, so that no other connection, and on a Redis Cluster no other
 * node than the one that took the script, can speak for it.
 */
export class DurableLane {
  readonly connection: Redis | Cluster
  /** Once it is ready for the first time. */
  readonly connected: Promise<void>
  /** Calls under way. */
  running = 0
  /** Why its database cannot be used. */
  noDatabase: Error | undefined
  readonly #journeys = new WeakMap<Command, Journey>()
  readonly #commandTimeout: number

  constructor({ connection, commandTimeout }: BrokerOptions) {
    this.#commandTimeout = commandTimeout
    this.connection = openConnection(connection, { name: 'redisdistro-durable', commandTimeout })
    if (this.connection instanceof Cluster) {
      this.connection.on('+node', (node: Redis) => this.#follow(node))
    } else {
      this.#follow(this.connection)
    }
    this.connection.on('ready', () => {
      this.noDatabase = undefined
    })
    this.connection.on('error', (error: Error) => {
      if (isRefusedSelect(error)) this.noDatabase = error
    })
    this.connected = new Promise((resolve) => this.connection.once('ready', () => resolve()))
    this.connection.connect().catch(() => undefined)
  }

  get ready(): boolean {
    return this.connection.status === 'ready'
  }

  /** The servers that take writes. */
  get masters(): readonly Redis[] {
    return this.connection instanceof Cluster ? this.connection.nodes('master') : [this.connection]
  }

  /**
   * Runs a script: what it was answered, and what was heard behind it. Always by its text: behind an
   * EVALSHA that was refused the proof would be waited for in vain, and the text behind that.
   */
  async evaluate(
    values: readonly (string | number)[],
    { proof, end }: Pick<Journey, 'proof' | 'end'>,
  ): Promise<{ readonly answer: unknown; readonly proven: Proven | undefined }> {
    if (systemClock.monotonic() >= end) {
      throw new RedisDistroError('store_away', 'its time was over before anything was sent')
    }
    const command = new Command('eval', [...values], { replyEncoding: 'utf8' })
    const journey: Journey = { proof, end }
    this.#journeys.set(command, journey)
    const answer = await this.connection.sendCommand(command)
    return { answer, proven: await journey.proven }
  }

  close(): void {
    this.connection.disconnect()
  }

  #follow(node: Redis): void {
    const send = node.sendCommand
    node.sendCommand = (command, stream) => {
      const sent = send.call(node, command, stream)
      const journey = this.#journeys.get(command)
      // What waits for a node to be ready comes by here again.
      if (journey === undefined || node.status !== 'ready') return sent
      const ms = this.#left(journey.end)
      const [name, ...args] = journey.proof.command(ms)
      journey.proven = node.call(name, ...args).then(
        (answer) => ({ answer, ms }),
        (answer: unknown) => ({ answer, ms }),
      )
      return sent
    }
  }

  /** ms that a server may take, so that its answer comes in time; never 0, which is for ever. */
  #left(end: number): number {
    const reserve = Math.min(wayBack, this.#commandTimeout / 3)
    return Math.max(1, Math.floor(end - systemClock.monotonic() - reserve))
  }
}
