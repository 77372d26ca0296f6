import type { Broker, StoredTask } from '../core/broker.js'
import { type Draft, isProblem } from './draft.js'
import { type Due, dueOf } from './due.js'
import { atIndex, errorOf, type Problem } from './problem.js'
import type { RedisTime } from './redis-time.js'
import { differs, firstsOf, isFirstOf } from './repeats.js'

/** A task that can be sent, or the one that was there before it. */
export type Ready =
  | { readonly draft: Draft; readonly when: Due }
  | { readonly draft: Draft; readonly first: StoredTask }

/** How the tasks of one call are told apart in what it is told. */
export type Indexing = 'single' | 'shared options' | 'own options'

/** A type is part of what a mixed batch holds, and not of what was asked for. */
const inBatch = (problem: Problem, indexing: Indexing): Problem =>
  indexing === 'own options' && problem.code === 'unknown_type'
    ? { ...problem, code: 'bad_payload' }
    : problem

/** Throws one error for all problems, if there are any. */
function throwProblems(made: readonly object[], indexing: Indexing): void {
  const problems: Problem[] = []
  let toldOfAll = false
  for (const [index, each] of made.entries()) {
    if (!isProblem(each)) continue
    // An option of all is told once, not for each task.
    const ofAll = indexing === 'shared options' && each.code !== 'bad_payload'
    if (ofAll && toldOfAll) continue
    toldOfAll ||= ofAll
    problems.push(indexing === 'single' || ofAll ? each : atIndex(index, inBatch(each, indexing)))
  }
  const [first, ...others] = problems
  if (first !== undefined) throw errorOf([first, ...others])
}

const timeless = ({ options }: Draft): boolean =>
  options.runAt === undefined && options.delay === undefined && options.tz === undefined

/** Reads the times of one call; Redis is asked for its time once at most. */
async function duesOf(drafts: readonly Draft[], time: RedisTime): Promise<(Due | Problem)[]> {
  let asked: Promise<number> | undefined
  const clock = {
    estimate: () => time.estimate(),
    ask: () => {
      asked ??= time.ask()
      return asked
    },
  }
  const dues: (Due | Problem)[] = []
  let last: { draft: Draft; due: Due | Problem } | undefined
  for (const draft of drafts) {
    const { options, entry } = draft
    if (timeless(draft)) dues.push(now)
    else {
      if (last?.draft.options !== options || last.draft.entry !== entry) {
        last = { draft, due: await dueOf(options, entry.tz, clock) }
      }
      dues.push(last.due)
    }
  }
  return dues
}

const now: Due = {}

/**
 * A chosen id is looked up before its time is refused: 'today 5pm' was a time when its first came.
 */
async function firstsOfRefused(
  broker: Broker,
  drafts: readonly Draft[],
  dues: readonly (Due | Problem)[],
): Promise<Map<Draft, StoredTask>> {
  const refused = drafts.filter((draft, index) => {
    const due = dues[index]
    return draft.fingerprint !== undefined && due !== undefined && isProblem(due)
  })
  if (refused.length === 0) return new Map()
  const firsts = await firstsOf(broker, refused)
  return new Map(
    refused.flatMap((draft, index) => {
      const first = firsts[index]
      return first === undefined ? [] : [[draft, first] as const]
    }),
  )
}

/**
 * Gives the drafts of one call their times. Every problem of every task is found before one error
 * is thrown for all of them.
 */
export async function prepare(
  made: readonly (Draft | Problem)[],
  indexing: Indexing,
  store: { readonly broker: Broker; readonly time: RedisTime },
): Promise<Ready[]> {
  const drafts = made.filter((each): each is Draft => !isProblem(each))
  if (drafts.length === made.length && drafts.every(timeless)) {
    return drafts.map((draft) => ({ draft, when: now }))
  }
  const dues = await duesOf(drafts, store.time)
  const firsts = await firstsOfRefused(store.broker, drafts, dues)
  let next = 0
  const ready = made.map((each): Ready | Problem => {
    if (isProblem(each)) return each
    const when = dues[next++] ?? now
    if (!isProblem(when)) return { draft: each, when }
    const first = firsts.get(each)
    if (first === undefined) return when
    return isFirstOf(each, first) ? { draft: each, first } : differs(each)
  })
  throwProblems(ready, indexing)
  return ready.filter((each): each is Ready => !isProblem(each))
}
