import type { Broker, Partition, Remembered, StoredTask } from '../core/broker.js'
import { type Look, lookUp } from './by-partition.js'
import type { Directory } from './contract.js'
import type { Draft } from './draft.js'
import { taskPrint } from './ids.js'
import { placesOf } from './placement.js'
import type { Problem } from './problem.js'
import { sendError } from './send-error.js'

/** What an id stands for that was used before. */
export interface First extends Remembered {
  /** Where it lies. */
  readonly partition: Partition
  /** Its record, where retention has left it. */
  readonly task?: StoredTask
}

/** A draft whose first is asked for. */
export interface Asked {
  readonly draft: Draft
  /** Where the draft itself goes is looked at too: the send comes too late to find its first there. */
  readonly here: boolean
}

interface Store {
  readonly broker: Broker
  readonly directory: Directory
}

/** True where the key of its batch made the id. */
export const isOfBatch = ({ fingerprint, options }: Draft): boolean =>
  fingerprint !== undefined && options.taskId === undefined && options.idempotencyKey === undefined

/**
 * The problem of an id that was used before with another type or payload, or a key with another
 * batch; `first` is the task that has the id, where it was looked up.
 */
export function differs(draft: Draft, first?: StoredTask): Problem {
  if (isOfBatch(draft)) {
    const message = 'this key was used before, for another batch'
    const issues = [{ path: 'idempotencyKey', message }]
    return { code: 'payload_differs', issues, ofAll: true }
  }
  const path = draft.options.taskId === undefined ? 'idempotencyKey' : 'taskId'
  const { type } = draft.entry
  const other = first?.body.type ?? type
  const what = other === type ? 'with another payload' : `as '${other}', and this is '${type}'`
  const message = `task '${draft.id}' exists ${what}; nothing of this one was written`
  return { code: 'payload_differs', message, issues: [{ path, message }] }
}

/** An id that nobody chose has no fingerprint, and may be given as a `taskId` all the same. */
function isFirstOf(draft: Draft, { fingerprint, task }: First): boolean {
  const print = fingerprint ?? (task && taskPrint(task.body.type, task.body.payload))
  return print === undefined || print === draft.fingerprint
}

interface DraftLook extends Look {
  readonly draft: Draft
}

/** While a queue's number of partitions is new, a first may lie where a former number put it. */
async function looksFor(asked: readonly Asked[], directory: Directory): Promise<DraftLook[]> {
  const formerOf = new Map<string, readonly number[]>()
  const looks: DraftLook[] = []
  for (const { draft, here } of asked) {
    const { id, partition } = draft
    const { queue, of: partitions } = partition
    const former = formerOf.get(queue) ?? (await directory.former(queue))
    formerOf.set(queue, former)
    if (here) looks.push({ draft, id, partition })
    if (former.length === 0) continue
    const [, ...others] = placesOf({ queue, partitions, former }, id)
    for (const other of others) looks.push({ draft, id, partition: other })
  }
  return looks
}

/** Drafts whose id is chosen before them in their batch, for another payload. */
function clashing(asked: readonly Asked[]): Draft[] {
  if (asked.length === 1) return []
  const prints = new Map<string, string | undefined>()
  return asked.flatMap(({ draft }) => {
    if (isOfBatch(draft)) return []
    const name = `${draft.partition.queue} ${draft.id}`
    if (!prints.has(name)) prints.set(name, draft.fingerprint)
    return prints.get(name) === draft.fingerprint ? [] : [draft]
  })
}

/** The firsts that lie where they are looked for. */
async function found(looks: readonly DraftLook[], broker: Broker): Promise<[Draft, First][]> {
  const answers = await lookUp(looks, (partition, ids) => broker.remembered(partition, ids))
  const met = looks.flatMap((look, index) => {
    const remembered = answers[index]
    return remembered === undefined ? [] : [{ ...look, remembered }]
  })
  const tasks = await lookUp(met, (partition, ids) => broker.find(partition, ids))
  return met.map(({ draft, partition, remembered }, index) => {
    const task = tasks[index]
    const first = { ...remembered, partition }
    return [draft, task === undefined ? first : { ...first, task }]
  })
}

/**
 * What callers are told of firsts that were found before any send is as durable as what is sent.
 * @throws RedisDistroError `store_unknown`, in the words of an enqueue
 */
export async function confirmFirsts(
  firsts: readonly { readonly draft: Draft; readonly first: First }[],
  broker: Broker,
  total: number,
): Promise<void> {
  const looks = firsts.map(({ first: { id, partition } }) => ({ id, partition }))
  const confirm = async (partition: Partition, ids: readonly string[]) => {
    await broker.confirm(partition, ids)
    return ids
  }
  try {
    await lookUp(looks, confirm)
  } catch (error) {
    const tasks = firsts.map(({ draft }) => draft)
    throw sendError({ error, tasks, total, written: 0, doubt: true })
  }
}

/** True where the first task of a key that speaks of no one type lies in another queue. */
async function liesElsewhere(
  { id, partition }: Draft,
  { broker, directory }: Store,
): Promise<boolean> {
  const others = (await directory.queues()).filter(({ queue }) => queue !== partition.queue)
  const places = others.flatMap((queue) => placesOf(queue, id))
  const answers = await Promise.all(places.map((place) => broker.remembered(place, [id])))
  return answers.flat().some((remembered) => remembered !== undefined)
}

/**
 * What the ids of these drafts were used for before: the first, or the problem that it is another
 * one. `lead` is the first of a batch whose key speaks of no one type: such a key may lie anywhere.
 */
export async function firstsOf(
  asked: readonly Asked[],
  lead: Draft | undefined,
  store: Store,
): Promise<ReadonlyMap<Draft, First | Problem>> {
  const firsts = new Map<Draft, First | Problem>()
  for (const draft of clashing(asked)) firsts.set(draft, differs(draft))
  const looks = await looksFor(asked, store.directory)
  const met = looks.length === 0 ? [] : await found(looks, store.broker)
  for (const [draft, first] of met) {
    firsts.set(draft, isFirstOf(draft, first) ? first : differs(draft, first.task))
  }
  if (lead !== undefined && (await liesElsewhere(lead, store))) firsts.set(lead, differs(lead))
  return firsts
}
