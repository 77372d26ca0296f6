import type { EventFeed } from '../../src/client/event-feed.js'

/** The next so many, as `transition id`, or `gap queue`; the last one's cursor beside it. */
export async function take(feed: EventFeed, amount: number) {
  const words: string[] = []
  let { cursor } = feed
  while (words.length < amount) {
    const messages = await feed.next(8000)
    if (messages.length === 0) throw new Error(`only ${words.length} came: ${words.join(', ')}`)
    for (const message of messages) {
      words.push(
        'gap' in message
          ? `gap ${message.gap.queue}`
          : `${message.event.transition} ${message.event.id}`,
      )
      cursor = message.cursor
    }
  }
  return { words, cursor }
}

export const idsOf = (words: readonly string[]) => words.map((word) => word.split(' ')[1])
