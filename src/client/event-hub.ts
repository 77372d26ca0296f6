import type { Broker, Partition } from '../core/broker.js'
import { isRedisDistroError, RedisDistroError } from '../core/errors.js'
import type { EventEntry } from '../core/event.js'
import { tagOf } from '../core/partition.js'
import { type EventPlace, isBehind, readEventCursor } from './event-cursor.js'
import { EventFeed, type EventTest, type Heard } from './event-feed.js'
import { noEntry, readPast } from './event-past.js'

/** ms for which moves are told after the last asking, and between two. */
const askFor = 15_000
const askEvery = 5_000
/** ms that one call waits for moves. */
const blockFor = 5_000
/** ms that a call goes on where somebody comes: many who come and go would else let none end. */
const calm = 50
/** ms after a call that failed. */
const pause = 250
/** Entries in a full answer of the broker. */
const fullAnswer = 100

/** Codes of a store that will be back. */
const away: ReadonlySet<string> = new Set(['store_away', 'store_unknown', 'store_full'])

/** A partition that somebody listens to. */
interface Post {
  readonly partition: Partition
  readonly feeds: Set<EventFeed>
  readonly asked: Promise<void>
  /** How many wait until moves are told there. */
  entering: number
  /** Both known once moves are told: the entry that was handed on last, and who else is followed with it. */
  position: string
  lane: string | undefined
}

/** Who listens: what of, and the partitions that it may be told in now. */
interface Listener {
  readonly test: EventTest
  /** Where an earlier listener stopped; left out, from now on. */
  readonly after?: string | undefined
  partitions(): Promise<readonly Partition[]>
}

/**
 * Hears the moves of the partitions that somebody here listens to, and hands them to all who do:
 * many listeners cost Redis no more than one, and none costs it nothing.
 */
export class EventHub {
  readonly #broker: Broker
  readonly #posts = new Map<string, Post>()
  readonly #listeners = new Map<EventFeed, Listener>()
  /** The call that each lane is in. */
  readonly #lanes = new Map<string, AbortController>()
  #asking: NodeJS.Timeout | undefined
  #joining = false
  #closed = false

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** @throws RedisDistroError `bad_option` for a cursor that is none, and those of the store */
  async open(listener: Listener): Promise<EventFeed> {
    const { test, after } = listener
    const placeOf = after === undefined ? undefined : readEventCursor(after)
    return await this.#enter(await listener.partitions(), (posts) => {
      const until = new Map(posts.map(({ partition, position }) => [partition, position]))
      const places = new Map<string, EventPlace>()
      for (const [partition, id] of until) {
        const tag = tagOf(partition)
        places.set(tag, placeOf ? (placeOf(tag) ?? { id: noEntry }) : { id })
      }
      const past = placeOf && readPast(this.#broker, { until, placeOf })
      const feed = new EventFeed({ test, places, past, leave: () => this.#leave(feed) })
      this.#listeners.set(feed, listener)
      for (const post of posts) post.feeds.add(feed)
      return feed
    })
  }

  close(): void {
    this.#closed = true
    this.#closeAll()
  }

  #closeAll(failure?: Error): void {
    for (const feed of [...this.#listeners.keys()]) feed.close(failure)
  }

  /** What `use` makes of the posts at partitions, once moves are told; it adds its feed to them at once. */
  async #enter<Made>(
    partitions: readonly Partition[],
    use: (posts: readonly Post[]) => Made,
  ): Promise<Made> {
    this.#mustBeOpen()
    const posts = partitions.map((partition) => this.#postAt(partition))
    for (const post of posts) post.entering += 1
    try {
      await Promise.all(posts.map(({ asked }) => asked))
      this.#mustBeOpen()
      return use(posts)
    } finally {
      for (const post of posts) {
        post.entering -= 1
        this.#removeEmpty(post)
      }
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new RedisDistroError('closed', 'nobody is listened to any more')
  }

  #postAt(partition: Partition): Post {
    const tag = tagOf(partition)
    const known = this.#posts.get(tag)
    if (known !== undefined) return known
    const ask = async () => {
      const position = await this.#broker.listen(partition, askFor)
      const lane = await this.#broker.laneOf(partition)
      Object.assign(post, { position, lane })
      this.#turn(lane)
    }
    const asked = ask()
    const told = { position: noEntry, lane: undefined }
    const post: Post = { partition, feeds: new Set(), asked, entering: 0, ...told }
    this.#posts.set(tag, post)
    this.#asking ??= setInterval(() => void this.#askAgain(), askEvery)
    return post
  }

  #leave(feed: EventFeed): void {
    this.#listeners.delete(feed)
    for (const post of [...this.#posts.values()]) {
      if (post.feeds.delete(feed)) this.#removeEmpty(post)
    }
  }

  #removeEmpty({ partition, feeds, entering, lane }: Post): void {
    if (feeds.size > 0 || entering > 0 || !this.#posts.delete(tagOf(partition))) return
    // Where others are followed with it, they are not disturbed.
    if (lane !== undefined && this.#positions(lane).size === 0) this.#lanes.get(lane)?.abort()
    if (this.#posts.size > 0) return
    clearInterval(this.#asking)
    this.#asking = undefined
  }

  /** Prolongs what was asked for; partitions that are new are listened to by whoever wants them. */
  async #askAgain(): Promise<void> {
    this.#prolong()
    if (this.#joining) return
    this.#joining = true
    for (const [feed, listener] of this.#listeners) {
      await this.#join(feed, listener).catch(() => undefined)
    }
    this.#joining = false
  }

  #prolong(): void {
    for (const post of this.#posts.values()) {
      if (post.feeds.size > 0) this.#prolongAt(post).catch((error) => this.#failed(error))
    }
  }

  /** A store that lost its last entries may give lower ids than those heard: it is heard from there. */
  async #prolongAt(post: Post): Promise<void> {
    const { partition, position } = post
    const last = await this.#broker.listen(partition, askFor)
    if (post.position !== position || !isBehind(last, position)) return
    post.position = last
    for (const feed of [...post.feeds]) feed.push({ partition, gap: true })
    if (post.lane !== undefined) this.#turn(post.lane)
  }

  async #join(feed: EventFeed, listener: Listener): Promise<void> {
    await this.#enter(await listener.partitions(), (posts) => {
      if (feed.closed) return
      for (const { partition, position, feeds } of posts) {
        if (feeds.has(feed)) continue
        feed.join(tagOf(partition), position)
        feeds.add(feed)
        // What moved there before this was not told.
        feed.push({ partition, gap: true })
      }
    })
  }

  /** The lane's call begins anew, with the partitions that there are by now. */
  #turn(lane: string): void {
    const call = this.#lanes.get(lane)
    if (call === undefined) return void this.#run(lane)
    const anew = () => {
      if (this.#lanes.get(lane) === call) call.abort()
    }
    setTimeout(anew, calm).unref()
  }

  async #run(lane: string): Promise<void> {
    for (;;) {
      const call = new AbortController()
      this.#lanes.set(lane, call)
      const after = this.#positions(lane)
      if (after.size === 0) break
      try {
        const told = await this.#broker.follow(after, blockFor, call.signal)
        for (const [partition, entries] of told) await this.#deliver(partition, entries)
      } catch (error) {
        this.#failed(error)
        await new Promise((resolve) => setTimeout(resolve, pause))
        // A store that was away may have forgotten that it was asked.
        this.#prolong()
      }
    }
    this.#lanes.delete(lane)
  }

  #positions(lane: string): Map<Partition, string> {
    const posts = [...this.#posts.values()].filter((post) => post.lane === lane)
    return new Map(posts.map(({ partition, position }) => [partition, position]))
  }

  /** A store that is away or full comes back; what else it says ends all feeds. */
  #failed(error: unknown): void {
    if (isRedisDistroError(error) && away.has(error.code)) return
    this.#closeAll(error instanceof Error ? error : new Error(String(error)))
  }

  async #deliver(partition: Partition, entries: readonly EventEntry[]): Promise<void> {
    const post = this.#posts.get(tagOf(partition))
    if (post === undefined) return
    const tell = (heard: Heard) => {
      for (const feed of [...post.feeds]) feed.push(heard)
    }
    // Behind by that much, it may have missed what is no longer kept.
    if (entries.length >= fullAnswer) {
      const { position: id } = post
      const [last] = await this.#broker.told(partition, { from: id, to: id, count: 1 })
      if (last === undefined) tell({ partition, gap: true })
    }
    for (const entry of entries) {
      // Of a call that began before the post.
      if (!isBehind(post.position, entry.id)) continue
      post.position = entry.id
      tell({ partition, entry })
    }
  }
}
