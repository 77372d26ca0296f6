import type { Broker, Enqueued, NewTask, Partition } from '../core/broker.js'
import type { Clock } from '../core/clock.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import { send } from './send.js'
import { sendError } from './send-error.js'

/** Tasks in one script call; more make Redis's pauses longer and gain nothing. */
const chunkSize = 250
/** Fewer are not worth a second call. */
const fewestToHalve = 16
/** Script calls under way for a partition; beyond that tasks gather into fuller calls. */
const maxInFlight = 4

/** What a call is of its caller's tasks, which an error then speaks of. */
export interface Share {
  /** How many were written before it. */
  readonly before: number
  readonly total: number
}

/** How a caller hears of its end. */
export interface Settle<Result> {
  resolve(result: Result): void
  reject(error: unknown): void
}

/** One caller's tasks. */
interface Handed extends Settle<Enqueued[]> {
  readonly tasks: readonly NewTask[]
  readonly share: Share
}

/** The same on their way. */
interface Call extends Handed {
  readonly results: Enqueued[]
  /** How many were taken into chunks, and how many of those have an answer. */
  taken: number
  answered: number
  failures: { error: unknown; count: number }[]
}

/** Neighbouring tasks of one call within a chunk. */
interface Part {
  readonly call: Call
  readonly from: number
  readonly count: number
}

interface Lane {
  readonly partition: Partition
  /** Tasks in line. */
  waiting: number
  /** True in the turn in which a call of many tasks came to its end. */
  flows: boolean
  /** How many were last sent as a half; 0 once the lane was idle. */
  half: number
  /** Calls in line; those before `next` are wholly taken. */
  calls: Call[]
  next: number
  inFlight: number
}

function failed(call: Call, failure: { error: unknown; count: number }): void {
  call.failures.push(failure)
  answered(call, failure.count)
}

function answered(call: Call, count: number): void {
  call.answered += count
  if (call.answered < call.tasks.length) return
  const [first] = call.failures
  if (first === undefined) {
    call.resolve(call.results)
    return
  }
  const lost = call.failures.reduce((sum, { count }) => sum + count, 0)
  const doubtful = call.failures.find(({ error }) => codeOf(error) === 'store_unknown')
  call.reject(
    sendError({
      error: (doubtful ?? first).error,
      tasks: call.tasks,
      total: call.share.total,
      written: call.share.before + call.tasks.length - lost,
      doubt: doubtful !== undefined,
    }),
  )
}

const codeOf = (error: unknown) => (isRedisDistroError(error) ? error.code : undefined)

/**
 * What callers send as soon as they have their answers goes in halves, so that Redis takes the one
 * while the answers to the other are heard; in one call, client and Redis would wait for each other
 * in turn.
 */
function chunkOf(lane: Lane): number {
  const { flows, inFlight, waiting, half } = lane
  const halved = flows && inFlight === 0 && waiting >= fewestToHalve && waiting <= chunkSize
  // A half that comes back alone stays whole.
  if (!halved || waiting <= half) return chunkSize
  return Math.ceil(waiting / 2)
}

function flow(lane: Lane): void {
  if (lane.flows) return
  lane.flows = true
  setImmediate(() => {
    lane.flows = false
    if (lane.inFlight === 0) lane.half = 0
  })
}

/** Takes the next tasks out of the lane's calls, in their order. */
function take(lane: Lane): { tasks: NewTask[]; parts: Part[] } {
  const tasks: NewTask[] = []
  const parts: Part[] = []
  const most = chunkOf(lane)
  while (tasks.length < most) {
    const call = lane.calls[lane.next]
    if (call === undefined) break
    const from = call.taken
    // A call is cut only where it must be: half of what fits in one call is still whole calls.
    const count = Math.min(chunkSize - tasks.length, call.tasks.length - from)
    for (const task of call.tasks.slice(from, from + count)) tasks.push(task)
    call.taken += count
    parts.push({ call, from, count })
    if (call.taken === call.tasks.length) lane.next++
  }
  if (most < chunkSize) lane.half = tasks.length
  lane.waiting -= tasks.length
  // Not at each chunk, or a long line would be copied again and again.
  if (lane.next * 2 >= lane.calls.length) {
    lane.calls = lane.calls.slice(lane.next)
    lane.next = 0
  }
  return { tasks, parts }
}

/**
 * Joins what is enqueued in one turn of the event loop into one script call for each partition, in
 * chunks of 250; each caller has its own promise, and hears of its own tasks only.
 */
export class Batcher {
  readonly #options: { readonly broker: Broker; readonly clock: Clock; readonly deadline: number }
  readonly #lanes = new Map<Partition, Lane>()
  readonly #ready = new Set<Lane>()

  constructor(options: { broker: Broker; clock: Clock; deadline: number }) {
    this.#options = options
  }

  /** Hands in tasks of one partition; the answers come in their order. At least one task. */
  add(
    partition: Partition,
    tasks: readonly NewTask[],
    share: Share = { before: 0, total: tasks.length },
  ): Promise<Enqueued[]> {
    return new Promise((resolve, reject) => {
      this.hand(partition, { tasks, share, resolve, reject })
    })
  }

  /** The same, told by callback. */
  hand(partition: Partition, { tasks, share, resolve, reject }: Handed): void {
    const lane = this.#laneOf(partition)
    const none = { results: [], taken: 0, answered: 0, failures: [] }
    lane.calls.push({ tasks, share, resolve, reject, ...none })
    lane.waiting += tasks.length
    if (this.#ready.size === 0) {
      // Behind a call under way more may gather; an idle lane sends at the end of this very turn.
      if (lane.inFlight > 0) setImmediate(this.#flush)
      else process.nextTick(this.#flush)
    }
    this.#ready.add(lane)
  }

  #laneOf(partition: Partition): Lane {
    let lane = this.#lanes.get(partition)
    if (lane === undefined) {
      lane = { partition, waiting: 0, flows: false, half: 0, calls: [], next: 0, inFlight: 0 }
      this.#lanes.set(partition, lane)
    }
    return lane
  }

  readonly #flush = (): void => {
    const lanes = [...this.#ready]
    this.#ready.clear()
    for (const lane of lanes) this.#drive(lane)
  }

  #drive(lane: Lane): void {
    while (lane.next < lane.calls.length && lane.inFlight < maxInFlight) {
      const { tasks, parts } = take(lane)
      lane.inFlight++
      void this.#send(lane, tasks, parts)
    }
  }

  async #send(lane: Lane, tasks: readonly NewTask[], parts: readonly Part[]): Promise<void> {
    try {
      const results = await send(this.#options, lane.partition, tasks)
      let next = 0
      for (const { call, from, count } of parts) {
        for (let n = 0; n < count; n++) {
          const result = results[next++]
          if (result !== undefined) call.results[from + n] = result
        }
        answered(call, count)
      }
    } catch (error) {
      for (const { call, count } of parts) failed(call, { error, count })
      // What waits behind has waited as long: it hears the same at once, and nothing of it was sent.
      if (codeOf(error) === 'store_away' || codeOf(error) === 'store_unknown') this.#refuse(lane)
    }
    lane.inFlight--
    this.#drive(lane)
    if (tasks.length >= fewestToHalve) flow(lane)
  }

  #refuse(lane: Lane): void {
    const unsent = new RedisDistroError(
      'store_away',
      'Redis did not take the calls before this one',
    )
    const calls = lane.calls.slice(lane.next)
    lane.calls = []
    lane.next = 0
    lane.waiting = 0
    for (const call of calls) {
      const count = call.tasks.length - call.taken
      call.taken = call.tasks.length
      failed(call, { error: unsent, count })
    }
  }
}
