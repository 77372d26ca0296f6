import type { Broker } from '../core/broker.js'
import type { Directory } from './contract.js'
import type { Draft } from './draft.js'
import type { Naming } from './naming.js'
import { partitionOf } from './placement.js'
import type { Indexing, Ready } from './prepare.js'
import { atIndex, errorOf, type Problem } from './problem.js'
import { differs, firstsOf, isFirstOf, isOfBatch } from './repeats.js'

/** How the tasks of one call are named, and told apart in what it is told. */
export interface CallKind {
  readonly naming: Naming
  readonly indexing: Indexing
}

interface Store {
  readonly broker: Broker
  readonly directory: Directory
}

/** A task of a batch whose own caller chose its id, with its place there. */
interface Chosen {
  readonly draft: Draft
  readonly index: number
}

const isChosen = (draft: Draft): boolean => draft.fingerprint !== undefined && !isOfBatch(draft)

/** Ids that are chosen twice in one batch, for two payloads. */
function clashes(chosen: readonly Chosen[]): Problem[] {
  const prints = new Map<string, string | undefined>()
  return chosen.flatMap(({ draft, index }) => {
    const place = `${draft.queue} ${draft.id}`
    if (!prints.has(place)) prints.set(place, draft.fingerprint)
    return prints.get(place) === draft.fingerprint ? [] : atIndex(index, differs(draft))
  })
}

async function differing(chosen: readonly Chosen[], broker: Broker): Promise<Problem[]> {
  const firsts = await firstsOf(
    broker,
    chosen.map(({ draft }) => draft),
  )
  return chosen.flatMap(({ draft, index }, n) => {
    const first = firsts[n]
    return first === undefined || isFirstOf(draft, first) ? [] : atIndex(index, differs(draft))
  })
}

/** A batch of any types is another one where the first task of its key lies in another queue. */
async function movedFirst(ready: readonly Ready[], store: Store): Promise<Problem[]> {
  const draft = ready.map((each) => each.draft).find(isOfBatch)
  if (draft === undefined) return []
  const others = (await store.directory.queues()).filter(({ queue }) => queue !== draft.queue)
  const found = await Promise.all(
    others.map(({ queue, partitions }) =>
      store.broker.find(partitionOf(queue, partitions, draft.id), [draft.id]),
    ),
  )
  return found.flat().some((task) => task !== undefined) ? [differs(draft)] : []
}

/**
 * Looks before a batch is sent whether an id or key in it was used for something else, since it is
 * written in parts and nothing of it shall be. Batches without ids of their own cost nothing here.
 * @throws RedisDistroError `payload_differs`
 */
export async function lookFirst(
  ready: readonly Ready[],
  { naming, indexing }: CallKind,
  store: Store,
): Promise<void> {
  if (indexing === 'single') return
  const problems: Problem[] = naming.anywhere ? await movedFirst(ready, store) : []
  if (indexing === 'own options') {
    const chosen = ready.flatMap((each, index) =>
      'when' in each && isChosen(each.draft) ? { draft: each.draft, index } : [],
    )
    problems.push(...clashes(chosen))
    if (chosen.length > 0) problems.push(...(await differing(chosen, store.broker)))
  }
  const [first, ...others] = problems
  if (first !== undefined) throw errorOf([first, ...others])
}
