import type { Partition } from '../core/broker.js'

/** Ids in one look-up; more make Redis's pauses longer and gain nothing. */
const chunkSize = 500

/** Groups by partition, by the indices of `items`. */
export function byPartition<Item>(
  items: readonly Item[],
  placeOf: (item: Item) => Partition,
): Map<Partition, number[]> {
  const groups = new Map<Partition, number[]>()
  for (const [index, item] of items.entries()) {
    const partition = placeOf(item)
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [index])
    else group.push(index)
  }
  return groups
}

/** An id, and the partition that is asked for it. */
export interface Look {
  readonly id: string
  readonly partition: Partition
}

/** Looks many ids up, one call a partition for each 500 of them; the answers in the order given. */
export async function lookUp<Answer>(
  looks: readonly Look[],
  ask: (partition: Partition, ids: readonly string[]) => Promise<readonly Answer[]>,
): Promise<(Answer | undefined)[]> {
  const found: (Answer | undefined)[] = looks.map(() => undefined)
  const calls: Promise<void>[] = []
  for (const [partition, indices] of byPartition(looks, (look) => look.partition)) {
    for (let from = 0; from < indices.length; from += chunkSize) {
      const chunk = indices.slice(from, from + chunkSize)
      const ids = chunk.flatMap((index) => looks[index]?.id ?? [])
      const call = ask(partition, ids).then((answers) => {
        for (const [n, index] of chunk.entries()) found[index] = answers[n]
      })
      calls.push(call)
    }
  }
  await Promise.all(calls)
  return found
}
