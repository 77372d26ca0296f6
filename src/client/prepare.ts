import type { Broker } from '../core/broker.js'
import type { Directory } from './contract.js'
import type { Draft } from './draft.js'
import { type Due, dueOf } from './due.js'
import { type Asked, type First, firstsOf, isOfBatch } from './firsts.js'
import type { Naming } from './naming.js'
import { type Indexing, isProblem, type Problem, throwProblems } from './problem.js'
import type { RedisTime } from './redis-time.js'

/** A task that can be sent. */
export interface Fresh {
  readonly draft: Draft
  readonly when: Due
}

/** A task that can be sent, or the one that was there before it. */
export type Ready = Fresh | { readonly draft: Draft; readonly first: First }

/** How the tasks of one call are named, and told apart in what it is told. */
export interface CallKind {
  readonly naming: Naming
  readonly indexing: Indexing
}

/** What is asked before anything is written. */
export interface Sources {
  readonly broker: Broker
  readonly directory: Directory
  readonly time: RedisTime
}

const timeless = ({ options }: Draft): boolean =>
  options.runAt === undefined && options.delay === undefined && options.tz === undefined

const now: Due = {}

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

/**
 * Whose firsts are looked up before the send. Of ids that callers chose those that a former number
 * of partitions may have; those of a mixed batch, which is written in parts, and nothing of it shall
 * be where one differs; and those whose time is refused: 'today 5pm' was one when the first came.
 */
function askedOf(
  drafts: readonly Draft[],
  dues: readonly (Due | Problem)[],
  { sound, mixed }: { readonly sound: boolean; readonly mixed: boolean },
): Asked[] {
  const asked: Asked[] = []
  for (const [index, draft] of drafts.entries()) {
    if (draft.fingerprint === undefined) continue
    const refused = isProblem(dues[index] ?? now)
    // What is refused for something else anyway need not be looked up.
    if (sound || refused) asked.push({ draft, here: refused || (mixed && !isOfBatch(draft)) })
  }
  return asked
}

const none: ReadonlyMap<Draft, First | Problem> = new Map()

/**
 * Gives the drafts of one call their times, and finds those that are repeats of others. Every problem
 * of every task is found before one error is thrown for all of them.
 */
export async function prepare(
  made: readonly (Draft | Problem)[],
  { naming, indexing }: CallKind,
  sources: Sources,
): Promise<Ready[]> {
  const drafts = made.filter((each): each is Draft => !isProblem(each))
  const dues = await duesOf(drafts, sources.time)
  const sound = drafts.length === made.length
  const asked = askedOf(drafts, dues, { sound, mixed: indexing === 'own options' })
  const lead = sound && naming.anywhere ? drafts.find(isOfBatch) : undefined
  const firsts = asked.length === 0 ? none : await firstsOf(asked, lead, sources)
  let next = 0
  const ready = made.map((each): Ready | Problem => {
    if (isProblem(each)) return each
    const when = dues[next++] ?? now
    const first = firsts.get(each)
    if (first !== undefined) return isProblem(first) ? first : { draft: each, first }
    return isProblem(when) ? when : { draft: each, when }
  })
  throwProblems(ready, indexing)
  return ready.filter((each): each is Ready => !isProblem(each))
}
