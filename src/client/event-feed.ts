import type { EventEntry, TaskEvent } from '../core/event.js'
import { type Partition, tagOf } from '../core/partition.js'
import { type EventPlace, writePlace } from './event-cursor.js'

/** What a listener hears of a partition; a gap: from here on, and something may be missing before. */
export type Heard =
  | { readonly partition: Partition; readonly entry: EventEntry }
  | { readonly partition: Partition; readonly gap: true }

/** One event, or that some may be missing; `cursor` is where a later listener goes on. */
export type EventMessage =
  | { readonly cursor: string; readonly event: TaskEvent }
  | { readonly cursor: string; readonly gap: { readonly queue: string; readonly reason: string } }

export interface EventTest {
  readonly type?: string | undefined
  readonly task?: string | undefined
}

/** Events that wait for one listener; one that is behind by more is cut off. */
const mostWaiting = 20_000

const reason =
  'some events may be missing here: they are no longer kept, or nobody listened at the time'

/** What one listener hears, in order; it holds no more than it may and ends when it is closed. */
export class EventFeed {
  readonly #test: EventTest
  readonly #places: Map<string, EventPlace>
  readonly #leave: () => void
  readonly #slow = new AbortController()
  readonly #waiting: Heard[] = []
  #past: AsyncIterator<Heard> | undefined
  #size = 0
  /** True where the time of the call is over. */
  #late = false
  #ring: () => void = () => undefined
  #closed = false
  #failure: Error | undefined

  /** `past` is heard first; `leave` is called once, at the end. */
  constructor(parts: {
    readonly test: EventTest
    readonly places: ReadonlyMap<string, EventPlace>
    readonly past?: AsyncIterable<Heard> | undefined
    leave(): void
  }) {
    this.#test = parts.test
    this.#places = new Map(parts.places)
    this.#past = parts.past?.[Symbol.asyncIterator]()
    this.#leave = parts.leave
  }

  /** Where a later listener goes on. */
  get cursor(): string {
    return [...this.#places].map(([tag, place]) => writePlace(tag, place)).join('~')
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Aborted where the listener was too slow, and is cut off. */
  get slow(): AbortSignal {
    return this.#slow.signal
  }

  /** A partition that came later; it is told from this entry on. */
  join(tag: string, id: string): void {
    if (!this.#places.has(tag)) this.#places.set(tag, { id })
  }

  push(heard: Heard): void {
    if (this.#closed) return
    this.#waiting.push(heard)
    this.#size += 'entry' in heard ? heard.entry.events.length + 1 : 1
    if (this.#size > mostWaiting) {
      this.close()
      this.#slow.abort()
    }
    this.#ring()
  }

  /**
   * What comes next, as soon as there is anything; empty after `ms` without, and at the end.
   * @throws what the events could not be read for
   */
  async next(ms: number): Promise<readonly EventMessage[]> {
    this.#late = false
    const timer = setTimeout(() => {
      this.#late = true
      this.#ring()
    }, ms)
    try {
      // Also where much comes of which this listener wants nothing.
      while (!this.#closed && !this.#late) {
        const heard = await this.#take()
        const messages = heard === undefined ? [] : this.#show(heard)
        if (messages.length > 0) return messages
      }
    } finally {
      clearTimeout(timer)
    }
    if (this.#failure !== undefined) throw this.#failure
    return []
  }

  /** Ends; `failure` is what the listener is told by its next call. */
  close(failure?: Error): void {
    if (this.#closed) return
    this.#failure = failure
    this.#closed = true
    this.#waiting.length = 0
    this.#leave()
    this.#ring()
  }

  /** What is there, or the first that comes; undefined where something else rang. */
  async #take(): Promise<Heard | undefined> {
    const past = await this.#past?.next()
    if (past && !past.done) return past.value
    this.#past = undefined
    if (this.#waiting.length === 0 && !this.#closed && !this.#late) await this.#rung()
    const heard = this.#waiting.shift()
    if (heard && 'entry' in heard) this.#size -= heard.entry.events.length + 1
    return heard
  }

  #rung(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve
    })
  }

  #show(heard: Heard): EventMessage[] {
    const { partition } = heard
    if ('gap' in heard) return [this.#gap(partition)]
    const tag = tagOf(partition)
    const { id, begins, events } = heard.entry
    const before = this.#places.get(tag)
    const done = before?.id === id ? (before.done ?? events.length) : 0
    this.#places.delete(tag)
    const others = this.#places.size > 0 ? `${this.cursor}~` : ''
    this.#places.set(tag, { id })
    if (begins) return [this.#gap(partition)]
    const messages: EventMessage[] = []
    for (let i = done; i < events.length; i++) {
      const event = events[i] as TaskEvent
      if (!this.#wants(event)) continue
      const place = i + 1 === events.length ? { id } : { id, done: i + 1 }
      messages.push({ cursor: others + writePlace(tag, place), event })
    }
    return messages
  }

  #gap({ queue }: Partition): EventMessage {
    return { cursor: this.cursor, gap: { queue, reason } }
  }

  #wants({ id, type }: TaskEvent): boolean {
    const { type: wanted, task } = this.#test
    return (wanted === undefined || type === wanted) && (task === undefined || id === task)
  }
}
