import type { Broker, ListPage, Partition, StoredTask } from '../core/broker.js'
import { tagOf } from '../core/partition.js'
import type { State } from '../core/state.js'
import { badCursor, type Place, readCursor, writeCursor } from './cursor.js'
import { startOf, type Window } from './dead-letters.js'
import type { Found } from './locate.js'

/** Records read for one page at most; a page of a rare thing is short rather than slow. */
const maxRead = 1000
/** Records in one look at most: a longer one would hold up everyone. */
const mostInLook = 250

export interface Walk {
  readonly partitions: readonly Partition[]
  readonly states: readonly State[]
  readonly deadLetter?: string | undefined
  readonly keep?: ((task: StoredTask) => boolean) | undefined
  readonly limit: number
  readonly cursor?: string | undefined
  /** Of a list that begins with the newest, by their end in ms. */
  readonly window?: Window | undefined
}

interface Step {
  readonly partition: Partition
  readonly state: State
}

function stepsFrom(walk: Walk): { steps: Step[]; start: Pick<Place, 'after' | 'skip'> } {
  const steps = walk.partitions.flatMap((partition) =>
    walk.states.map((state) => ({ partition, state })),
  )
  if (walk.cursor === undefined) return { steps, start: { skip: 0 } }
  const place = readCursor(walk.cursor)
  const first = steps.findIndex(
    ({ partition, state }) => tagOf(partition) === place.tag && state === place.state,
  )
  if (first === -1) throw badCursor()
  return { steps: steps.slice(first), start: place }
}

/** Asks a partition once which of its sets are empty, so that they need no look of their own. */
function emptiness(broker: Broker): (step: Step) => Promise<boolean> {
  let known: { partition: Partition; depth: Readonly<Record<State, number>> } | undefined
  return async ({ partition, state }) => {
    if (known?.partition !== partition) {
      known = { partition, depth: (await broker.counts(partition)).depth }
    }
    return known.depth[state] === 0
  }
}

/** One page of a walk over partitions and states, in that order. */
class PageReader {
  readonly found: Found[] = []
  readonly #broker: Broker
  readonly #walk: Walk
  #read = 0

  constructor(broker: Broker, walk: Walk) {
    this.#broker = broker
    this.#walk = walk
  }

  get full(): boolean {
    return this.found.length >= this.#walk.limit || this.#read >= maxRead
  }

  /** Reads on from a place of one step; the place where the next page begins, if it is in here. */
  async readStep(step: Step, start: Pick<Place, 'after' | 'skip'>): Promise<Place | undefined> {
    const { partition, state } = step
    const { keep, limit, window = {} } = this.#walk
    const { from = Number.NEGATIVE_INFINITY } = window
    let { after = startOf(window), skip } = start
    for (;;) {
      const here = { tag: tagOf(partition), state }
      if (this.full) {
        return (await this.#ends(step, { after, skip })) ? undefined : { ...here, after, skip }
      }
      const wanted = keep === undefined ? limit - this.found.length : mostInLook
      const asked = Math.min(wanted + skip, mostInLook)
      const page = await this.#list(step, after, asked)
      for (const [index, task] of page.tasks.entries()) {
        if (index < skip) continue
        if (this.full) return { ...here, after, skip }
        if ((task.endedAt ?? from) < from) return undefined
        this.#read++
        if (keep === undefined || keep(task)) this.found.push({ partition, task })
        // Behind the record itself: where others before it leave, none of those to come is passed over.
        after = page.places[index]
        skip = 0
      }
      if (page.next === undefined) return undefined
      // A look that was cut short, since its records are large, counts as the longest one.
      if (page.cut) this.#read += mostInLook - page.tasks.length
      after = page.next
      skip = Math.max(0, skip - page.tasks.length)
    }
  }

  /** A set that fills its last page to the brim has a `next`, and nothing behind it. */
  async #ends(step: Step, { after, skip }: Pick<Place, 'after' | 'skip'>): Promise<boolean> {
    if (after === undefined || skip > 0) return false
    const page = await this.#list(step, after, 1)
    return page.tasks.length === 0 && page.next === undefined
  }

  #list({ partition, state }: Step, after: string | undefined, limit: number): Promise<ListPage> {
    const { deadLetter } = this.#walk
    return this.#broker.list(partition, {
      state,
      limit,
      ...(deadLetter === undefined ? {} : { deadLetter }),
      ...(after === undefined ? {} : { after }),
    })
  }
}

/**
 * A page of tasks over many partitions and states; with a filter it may be short, or even empty,
 * and still have a cursor.
 * @throws RedisDistroError `bad_option` for a cursor of another list
 */
export async function walkPage(
  broker: Broker,
  walk: Walk,
): Promise<{ found: Found[]; cursor?: string }> {
  const { steps, start } = stepsFrom(walk)
  const reader = new PageReader(broker, walk)
  const isEmpty = emptiness(broker)
  for (const [index, step] of steps.entries()) {
    const from = index === 0 ? start : { skip: 0 }
    const many = walk.states.length > 1
    // A full page looks ahead too, so that its cursor does not lead to nothing.
    if ((many || reader.full) && from.after === undefined && (await isEmpty(step))) continue
    const place = await reader.readStep(step, from)
    if (place !== undefined) return { found: reader.found, cursor: writeCursor(place) }
  }
  return { found: reader.found }
}
