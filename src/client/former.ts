import type { Broker, StoredTask } from '../core/broker.js'
import type { Directory } from './contract.js'
import type { Draft } from './draft.js'
import { formerPlaces } from './placement.js'
import type { Indexing, Ready } from './prepare.js'
import { atIndex, errorOf, type Problem } from './problem.js'
import { differs, isFirstOf } from './repeats.js'

interface Store {
  readonly broker: Broker
  readonly directory: Directory
}

async function firstIn(
  draft: Draft,
  { broker, directory }: Store,
): Promise<StoredTask | undefined> {
  const former = await directory.former(draft.queue)
  if (former.length === 0) return undefined
  const { queue, partitions, id } = draft
  const looks = formerPlaces({ queue, partitions, former }, id).map((place) =>
    broker.find(place, [id]),
  )
  return (await Promise.all(looks)).flat().find((task) => task !== undefined)
}

/**
 * While a queue's number of partitions is new, an id that its caller chose may lie where the former
 * number put it: a repeat must meet its first there. Other ids cost nothing here.
 */
export async function meetFormer(
  ready: Ready[],
  indexing: Indexing,
  store: Store,
): Promise<Ready[]> {
  if (!ready.some(({ draft }) => draft.fingerprint !== undefined)) return ready
  const problems: Problem[] = []
  const met: Ready[] = []
  for (const [index, each] of ready.entries()) {
    const { draft } = each
    const chosen = 'when' in each && draft.fingerprint !== undefined
    const first = chosen ? await firstIn(draft, store) : undefined
    if (first === undefined) met.push(each)
    else if (isFirstOf(draft, first)) met.push({ draft, first })
    else problems.push(indexing === 'single' ? differs(draft) : atIndex(index, differs(draft)))
  }
  const [first, ...others] = problems
  if (first !== undefined) throw errorOf([first, ...others])
  return met
}
