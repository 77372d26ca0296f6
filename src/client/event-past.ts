import type { Broker, Partition } from '../core/broker.js'
import { tagOf } from '../core/partition.js'
import type { EventPlace } from './event-cursor.js'
import type { Heard } from './event-feed.js'

/** The place of a partition of which nothing was told yet. */
export const noEntry = '0-0'

/** Entries of one reading. */
const page = 100

/**
 * What was told of partitions, from where an earlier listener stopped to `until`, that entry
 * included; a gap where the entry that it stopped at is not kept. Where it had no place in a
 * partition, all that is kept, after a gap unless that begins where moves were first told.
 */
export async function* readPast(
  broker: Broker,
  parts: {
    readonly until: ReadonlyMap<Partition, string>
    placeOf(tag: string): EventPlace | undefined
  },
): AsyncGenerator<Heard> {
  for (const [partition, to] of parts.until) {
    const place = parts.placeOf(tagOf(partition))
    let from = place === undefined || place.id === noEntry ? '-' : place.id
    for (let first = true; ; first = false) {
      const entries = await broker.told(partition, { from, to, count: page + 1 })
      const [start] = entries
      if (from === '-' ? start?.begins === false : start?.id !== from)
        yield { partition, gap: true }
      for (const entry of entries) {
        // Known by the page before or told whole; or the beginning of all that is kept.
        const known = entry.id === from && (!first || place?.done === undefined)
        if (!known && !(entry.begins && from === '-' && entry === start)) yield { partition, entry }
      }
      const last = entries.at(-1)?.id
      if (last === undefined || entries.length <= page) break
      from = last
    }
  }
}
