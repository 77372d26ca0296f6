import type { CycleReply, Settlement } from '../core/broker.js'
import { ClaimAhead } from './claim-ahead.js'
import type { HeldTask } from './held-task.js'
import { LostAnswers } from './lost-answers.js'
import type { QueueWorkerOptions } from './options.js'
import { RedisClock } from './redis-clock.js'
import { isStoreFault, settleApart, wordsOf } from './settle-apart.js'
import type { Share } from './shares.js'
import { Slots } from './slots.js'
import { Tally } from './tally.js'
import { Turn } from './turn.js'
import { Watch } from './watch.js'

/** Tasks leased by one cycle at most. */
const mostWanted = 1000
/** Between two looks at what is due, while busy, in ms. */
const promoteEvery = 50
/** Between two looks at runs past their timeout, in ms. */
const sweepEvery = 25
/** Time that handlers have to end after their signal was aborted at shutdown, in ms. */
const lastMoment = 250
/** Time for the last settlements of a shutdown to reach Redis, in ms. */
const lastWord = 2000

/**
 * The pump of one lease. Whenever tasks have finished or room is free it calls one cycle; what
 * happens meanwhile rides in the next, without timers. Modes: `running` (cycles, or waits for a mark
 * while the queue is dry), `stopping` (claims nothing, gives back what did not start, waits for
 * handlers within the grace), `lost` (what it says no longer counts).
 */
export class Pump {
  readonly #worker: string
  readonly #options: QueueWorkerOptions
  readonly #ahead: ClaimAhead
  readonly #tally: Tally
  readonly #slots: Slots
  readonly #lostAnswers: LostAnswers
  #mode: 'running' | 'stopping' | 'lost' = 'running'
  /** True where the queue has limits: nothing is claimed that does not start at once. */
  #limited = false
  #failures = 0
  #lastPromote = 0
  readonly #time: RedisClock
  readonly #turn = new Turn()
  readonly #watch: Watch
  readonly #share: Share | undefined

  constructor(worker: string, options: QueueWorkerOptions) {
    this.#worker = worker
    this.#options = options
    this.#tally = new Tally(options.counters, options.partition.queue)
    this.#ahead = new ClaimAhead(options.clock)
    this.#time = new RedisClock(options.clock)
    this.#slots = new Slots({
      options,
      worker,
      tally: this.#tally,
      now: () => this.#time.now(),
      onChange: () => {
        this.#turn.ask()
        this.#share?.tell()
      },
    })
    this.#watch = new Watch({
      options,
      now: () => this.#time.now(),
      onLook: () => this.#turn.ask(),
    })
    this.#share = options.shares?.join({
      weight: options.weight,
      most: options.concurrency,
      held: () => this.#slots.running + this.#slots.claimed,
      hungry: () => this.#mode === 'running' && !this.#watch.dry && this.#failures === 0,
      ask: () => this.#turn.ask(),
    })
    this.#lostAnswers = new LostAnswers(worker, options, this.#slots)
  }

  get healthy(): boolean {
    return this.#mode !== 'lost' && this.#failures === 0
  }

  /** Cycles until the lease is lost, or the pump was stopped and everything is settled. */
  async run(): Promise<'lost' | 'stopped'> {
    const sweeper = setInterval(() => this.#sweep(), sweepEvery)
    try {
      while (this.#mode === 'running') {
        if (this.#hasWork()) await this.#cycle()
        // With more to send they start behind it, so that they run while Redis works.
        if (!this.#hasWork() || this.#failures > 0) this.#slots.start()
        if (this.#watch.dry && !this.#hasWork()) this.#watch.wait()
        await this.#nextTurn()
      }
      if (this.#mode === 'stopping') await this.#drain()
    } finally {
      clearInterval(sweeper)
      this.#share?.leave()
      await this.#watch.end()
    }
    return this.#mode === 'lost' ? 'lost' : 'stopped'
  }

  stop(): void {
    if (this.#mode === 'running') {
      this.#mode = 'stopping'
      this.#slots.close()
    }
    this.#turn.ask()
  }

  lose(): void {
    this.#mode = 'lost'
    this.#slots.lose()
    this.#turn.ask()
  }

  cancel(cancelled: readonly HeldTask[]): void {
    this.#slots.cancel(cancelled)
  }

  #wanted(): number {
    if (this.#mode !== 'running') return 0
    const { running, claimed } = this.#slots
    const ahead = this.#limited || this.#share ? 0 : this.#ahead.room
    const own = this.#options.concurrency + ahead - running - claimed
    const room = this.#share ? Math.min(own, this.#share.room()) : own
    return Math.min(mostWanted, Math.max(0, room))
  }

  #hasWork(): boolean {
    if (this.#slots.settled > 0 || this.#lostAnswers.due || this.#watch.marked) return true
    return !this.#watch.dry && this.#wanted() > 0
  }

  async #nextTurn(): Promise<void> {
    if (this.#failures > 0) {
      await this.#turn.rest(this.#failures)
    } else if (this.#hasWork()) {
      // Handlers that are done already settle in this turn, and ride in the next cycle.
      await new Promise<void>((resolve) => setImmediate(resolve))
    } else if (this.#mode === 'running') {
      await this.#turn.pause()
    }
  }

  #sweep(): void {
    this.#slots.sweep()
    if (this.#lostAnswers.sweep()) this.#turn.ask()
    // What was claimed ahead for handlers that have become slow goes back to whoever is idle.
    const { silence } = this.#ahead
    if (silence >= 100 && this.#slots.claimed > 0 && this.#failures === 0) {
      this.#ahead.measure(0, silence, 1)
      this.#slots.giveBack(this.#ahead.room)
    }
  }

  async #cycle(): Promise<void> {
    const { broker, partition, retention } = this.#options
    const worker = this.#worker
    const settled = this.#slots.take()
    const wanted = this.#wanted()
    this.#watch.send()
    this.#share?.asks(wanted)
    const began = this.#ahead.send()
    const promote = began - this.#lastPromote >= promoteEvery || this.#watch.due
    if (promote) this.#lastPromote = began
    try {
      if (this.#lostAnswers.due) await this.#lostAnswers.giveBack(settled)
      const replying = broker.cycle(partition, { worker, settled, wanted, promote, retention })
      this.#slots.start()
      const reply = await replying
      if (this.#mode === 'lost') return
      if (reply.lost) return this.lose()
      const ended = this.#ahead.hear(settled.length)
      this.#time.hear(reply.now, { began, ended })
      this.#hear(reply, wanted)
      this.#share?.asks(0)
      this.#share?.tell()
    } catch (error) {
      await this.#recover(settled, error)
    } finally {
      this.#share?.asks(0)
    }
  }

  /** What the store failed for is sent again whole; anything else may be one settlement's fault. */
  async #recover(settled: readonly Settlement[], error: unknown): Promise<void> {
    if (settled.length === 0 || isStoreFault(error)) return this.#fail(settled, error)
    const fields = { queue: this.#options.partition.queue, reason: wordsOf(error) }
    this.#options.log.warn('A cycle failed; its tasks are settled one by one', fields)
    const { lost, unheard, dropped } = await settleApart(settled, this.#worker, this.#options)
    if (lost || this.#mode === 'lost') return this.lose()
    this.#lostAnswers.drop(dropped)
    this.#lostAnswers.expect()
    if (unheard.length > 0) this.#fail(unheard, error)
  }

  #hear(reply: Extract<CycleReply, { lost: false }>, wanted: number): void {
    if (this.#failures > 0) {
      this.#options.log.info('The queue moves again', { queue: this.#options.partition.queue })
    }
    this.#failures = 0
    this.#tally.flush(reply.refused.length)
    if (wanted > 0) this.#watch.hear(reply.leased.length >= wanted, reply.nextDue)
    this.#slots.claim(reply.leased)
    if (reply.limited && !this.#limited) this.#slots.giveBackWaiting()
    this.#limited = reply.limited === true
    if (this.#mode !== 'running') this.#slots.close()
  }

  #fail(settled: readonly Settlement[], error: unknown): void {
    if (this.#mode === 'lost') return
    // Sent again with the next cycle: what was settled already is then refused, which is no harm.
    this.#slots.unheard(settled)
    this.#lostAnswers.expect()
    this.#failures += 1
    if (this.#failures > 1) return
    this.#options.log.warn('A cycle failed; trying again until Redis answers', {
      queue: this.#options.partition.queue,
      reason: wordsOf(error),
    })
  }

  /** Handlers may end within the grace; what is left then is released unspent. */
  async #drain(): Promise<void> {
    const { clock, settings } = this.#options
    this.#slots.close()
    await this.#settleUntil(clock.monotonic() + settings.shutdownGrace)
    if (this.#slots.running > 0) {
      this.#slots.abortAll()
      await this.#settleUntil(clock.monotonic() + lastMoment)
      this.#slots.releaseAll()
    }
    await this.#settleUntil(clock.monotonic() + lastWord)
  }

  /** Sends what is settled, until nothing runs and nothing is left to send, or until `end`. */
  async #settleUntil(end: number): Promise<void> {
    const { clock } = this.#options
    while (this.#mode !== 'lost' && clock.monotonic() < end) {
      if (this.#slots.settled > 0) await this.#cycle()
      else if (this.#slots.running === 0) return
      else await this.#turn.pause(end - clock.monotonic())
      if (this.#failures > 0) await this.#turn.rest(1)
    }
  }
}
