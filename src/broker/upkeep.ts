import type { Partition, PruneReply, RescueReply, Retention } from '../core/broker.js'
import type { Life } from '../core/life.js'
import { type Engine, runScript } from './arguments.js'
import { partitionKeys } from './keys.js'
import { forgetWorkerScript, markDeadScript, pruneScript, rescueScript } from './scripts.js'
import { readAt } from './wrong-type.js'

/** Tasks that one script call moves: a longer one would hold up everyone. */
const rescueChunk = 200

/** Losses of any kind that bury a task. */
const maxLosses = 20

/** Every holder in `active` that `wanted` picks, page by page. */
export async function* holders(
  engine: Engine,
  partition: Partition,
  wanted: (worker: string) => boolean,
): AsyncGenerator<{ id: string; holder: string }[]> {
  const key = partitionKeys(engine.prefix, partition).active
  let cursor = '0'
  do {
    const page = await readAt(key, engine.store.scanHash(key, cursor))
    cursor = page.cursor
    const found: { id: string; holder: string }[] = []
    for (let i = 0; i + 1 < page.pairs.length; i += 2) {
      const [id = '', holder = ''] = page.pairs.slice(i, i + 2)
      if (wanted(holder.slice(holder.lastIndexOf(' ') + 1))) found.push({ id, holder })
    }
    if (found.length > 0) yield found
  } while (cursor !== '0')
}

/**
 * Marks who is late or gone, moves what they held, and takes out who holds nothing any more. Now and then it
 * also moves what is held by a name that is no worker's; no move leads there, but people's hands do.
 */
export async function rescueTasks(
  engine: Engine,
  partition: Partition,
  { lease, gone }: { readonly lease: number; readonly gone: readonly Life[] },
): Promise<RescueReply> {
  const call = { script: markDeadScript, partition, named: { lease }, rest: gone }
  const [audit, ...marked] = (await runScript(engine, call)) as string[]
  const dead = new Set(marked)
  let rescued = 0
  let buried = 0
  if (dead.size === 0 && audit !== '1') return { workers: [], rescued, buried }
  const known = audit === '1' ? await knownWorkers(engine, partition) : undefined
  const isLost = (worker: string) => dead.has(worker) || known?.has(worker) === false
  for await (const page of holders(engine, partition, isLost)) {
    for (let i = 0; i < page.length; i += rescueChunk) {
      const rest = page.slice(i, i + rescueChunk).map(({ id }) => id)
      const named = { maxLosses }
      const answer = await runScript(engine, { script: rescueScript, partition, named, rest })
      const [moved, lost] = (answer as string[]).map(Number)
      rescued += moved ?? 0
      buried += lost ?? 0
    }
  }
  for (const worker of dead) {
    await runScript(engine, { script: forgetWorkerScript, partition, named: { worker } })
  }
  return { workers: [...dead], rescued, buried }
}

async function knownWorkers(engine: Engine, partition: Partition): Promise<Set<string>> {
  const { workers } = partitionKeys(engine.prefix, partition)
  const scores = await readAt(workers, engine.store.readScores(workers))
  return new Set(scores.map(([worker]) => worker))
}

/** Rounds of retention until nothing is left to do, each a short script. */
export async function pruneTasks(
  engine: Engine,
  partition: Partition,
  retention: Retention,
): Promise<PruneReply> {
  const { completed, dead, cancelled } = retention
  const rest = [completed, dead, cancelled].flatMap(({ age, count }) => [age, count])
  const sum = { completed: 0, dead: 0, cancelled: 0, expired: 0 }
  let skip = 0
  for (;;) {
    const answer = await runScript(engine, {
      script: pruneScript,
      partition,
      named: { skip },
      rest,
    })
    const [c, d, x, e, more, skipped] = answer as string[]
    sum.completed += Number(c)
    sum.dead += Number(d)
    sum.cancelled += Number(x)
    sum.expired += Number(e)
    skip += Number(skipped)
    if (more !== '1') return sum
  }
}
