import { systemClock } from '../core/clock.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { inTime, within } from '../core/within.js'
import { untilArrived } from './between-nodes.js'
import { byAnswer, type Proof } from './durability.js'
import { findWay, type Way } from './durable-check.js'
import { DurableLane, type Proven } from './durable-lane.js'
import { faultOf } from './fault.js'
import type { BrokerOptions, Durability } from './index.js'
import { enqueueCheckedScript, enqueueConfirmedScript } from './movement-scripts.js'
import type { Script } from './script.js'
import type { ScriptRunner, ScriptStore } from './script-store.js'

/** Connections at most: the waiting for one call's proof holds up what is sent behind it. */
const mostLanes = 4

/** ms that a call waits for a connection of its own, before it stands in line at another's. */
const longestToConnect = 200

/** What may write nothing, and its like that always does: without a write nothing can be waited for. */
const writing = new Map<Script, Script>([[enqueueCheckedScript, enqueueConfirmedScript]])

export type DurableOptions = BrokerOptions & { readonly durability: Durability }

/**
 * Runs scripts that are acknowledged only when what they wrote is as durable as asked. Its duties:
 * connections of its own, since the waiting blocks them; a server that cannot prove it is refused;
 * each call settles within the command timeout, and one that was not proven says so.
 */
export class DurableStore implements ScriptRunner {
  readonly #options: DurableOptions
  readonly #main: Pick<ScriptStore, 'says' | 'mustBeSafe'>
  readonly #lanes: DurableLane[] = []
  #way: Way | undefined
  #unsafe: RedisDistroError | undefined
  #checking: Promise<void> | undefined
  #told: string | undefined
  #wasOff = false
  #closed = false

  /** `main` judges the server; this one asks only for what it must prove. */
  constructor(options: DurableOptions, main: Pick<ScriptStore, 'says' | 'mustBeSafe'>) {
    this.#options = options
    this.#main = main
  }

  /** @throws RedisDistroError `unsafe_redis` where the server cannot give what is asked */
  async open(): Promise<void> {
    const { connection, connected } = this.#openLane()
    connection.on('ready', () => this.#check())
    await within(this.#options.commandTimeout, connected)
    await this.#checking
    if (this.#unsafe) throw this.#unsafe
  }

  close(): void {
    this.#closed = true
    for (const lane of this.#lanes) lane.close()
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    const { commandTimeout } = this.#options
    const call = this.#run(writing.get(script) ?? script, [keys.length, ...keys, ...args])
    return await inTime(commandTimeout, call, () => {
      const words = `${this.#main.says} did not answer within ${commandTimeout} ms; what was sent may have been done`
      return new RedisDistroError('store_unknown', words)
    })
  }

  async #run(script: Script, values: readonly (string | number)[]): Promise<unknown> {
    const end = systemClock.monotonic() + this.#options.commandTimeout
    this.#main.mustBeSafe()
    const { proof, server } = await this.#wayNow()
    const lane = await this.#chooseLane()
    const { text } = (server?.version[0] ?? 0) >= 7 ? script.flagged : script.plain
    lane.running++
    try {
      const send = () => lane.evaluate([text, ...values], { proof, end })
      const { answer, proven } = await untilArrived(end - systemClock.monotonic(), send)
      const lacks = lackOf(proven, proof)
      if (lacks === undefined) return answer
      if (proof === byAnswer) this.#distrust()
      throw notDurable(this.#main.says, lacks)
    } catch (error) {
      throw this.#fault(error)
    } finally {
      lane.running--
    }
  }

  async #wayNow(): Promise<Way> {
    if (this.#way === undefined || this.#unsafe) await (this.#checking ?? this.#check())
    const database = this.#lanes.find(({ noDatabase }) => noDatabase)?.noDatabase
    if (database) {
      const words = `the database of ${this.#main.says} cannot be used: ${database.message}`
      throw new RedisDistroError('unsafe_redis', words)
    }
    if (this.#unsafe) throw this.#unsafe
    if (this.#way) return this.#way
    throw this.#closed
      ? this.#fault(undefined)
      : new RedisDistroError('store_away', `${this.#main.says} is away`)
  }

  /** The idlest; where all have something to do, a new one, as soon as it is connected. */
  async #chooseLane(): Promise<DurableLane> {
    const ready = this.#lanes.filter((lane) => lane.ready)
    const idlest = ready.sort((a, b) => a.running - b.running).at(0)
    if (idlest === undefined) return this.#lanes[0] ?? this.#openLane()
    if (idlest.running === 0 || this.#lanes.length >= mostLanes || this.#closed) return idlest
    const lane = this.#openLane()
    await within(longestToConnect, lane.connected)
    return lane.ready ? lane : idlest
  }

  #openLane(): DurableLane {
    const lane = new DurableLane(this.#options)
    this.#lanes.push(lane)
    return lane
  }

  /** The file is not kept in order: before anything else is sent it is looked at again. */
  #distrust(): void {
    this.#wasOff = true
    this.#way = undefined
  }

  #fault(error: unknown): RedisDistroError {
    if (isRedisDistroError(error)) return error
    return this.#closed
      ? new RedisDistroError('closed', `the connection to ${this.#main.says} is closed`)
      : faultOf(error, this.#main.says)
  }

  #check(): Promise<void> {
    this.#checking = this.#ask().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #ask(): Promise<void> {
    const { durability, commandTimeout } = this.#options
    const asked = { durability, commandTimeout, says: this.#main.says, wasOff: this.#wasOff }
    const masters = this.#lanes[0]?.masters ?? []
    const asks = await Promise.allSettled(masters.map((node) => findWay(node, asked)))
    const ways = asks.flatMap((ask) => (ask.status === 'fulfilled' ? [ask.value] : []))
    const reasons = asks.flatMap((ask) => (ask.status === 'rejected' ? [ask.reason] : []))
    // One that proves it by its answer would not know the command of the others. Where none answers,
    // it is asked again before the next call.
    this.#way = ways.find(({ proof }) => proof === byAnswer) ?? ways[0]
    this.#unsafe = reasons.find(isUnsafe)
    if (this.#way && !this.#unsafe) this.#wasOff = false
    const warnings = ways.flatMap((way) => way.warnings)
    this.#say(this.#unsafe ? [this.#unsafe.message] : warnings)
  }

  /** Each thing is said once, not whenever the server is reached anew. */
  #say(warnings: readonly string[]): void {
    const told = JSON.stringify(warnings)
    if (told !== this.#told) for (const words of warnings) this.#options.log.warn(words)
    this.#told = told
  }
}

const isUnsafe = (error: unknown): error is RedisDistroError =>
  isRedisDistroError(error) && error.code === 'unsafe_redis'

/** What the proof leaves to be wished for; undefined where nothing does. */
function lackOf(proven: Proven | undefined, proof: Proof): string | undefined {
  if (proven === undefined) return 'it could not be asked whether that is durable'
  const { answer, ms } = proven
  return answer instanceof Error ? answer.message : proof.lacks(answer, ms)
}

function notDurable(says: string, lacks: string): RedisDistroError {
  const reason = `Redis took the call, but ${lacks}`
  const words = `${says} took the call, but ${lacks}; what was sent may be lost if it fails`
  return new RedisDistroError('store_unknown', words, { reason })
}
