import type { Partition } from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import type { EventEntry, EventRange, TaskEvent } from '../core/event.js'
import type { State, TransitionName } from '../core/state.js'
import { type Engine, runScript } from './arguments.js'
import { lackOf } from './fault.js'
import { partitionKeys } from './keys.js'
import type { StreamEntry } from './script-store.js'
import { listenScript } from './scripts.js'
import { readAt } from './wrong-type.js'

/** ms that told moves lie after the last asking. */
const keep = 300_000

/** The lines of one field: the moves of one kind. */
function readMoves(field: string, lines: string, shared: { queue: string; at: string }) {
  const [transition, state] = field.split(' ') as [TransitionName, State | 'gone']
  return lines.split('\n').map((line): TaskEvent => {
    const [id = '', type = '', attempt = ''] = line.split(' ')
    const event = { id, type, queue: shared.queue, transition, state, at: shared.at }
    return attempt === '' ? event : { ...event, attempt: Number(attempt) }
  })
}

function readEntry({ id, fields }: StreamEntry, { queue }: Partition): EventEntry {
  const [, at = '', ...moves] = fields
  const events: TaskEvent[] = []
  // What something else wrote there is told of as a gap.
  if (moves[0] === 'begin' || !/^\d{1,15}$/.test(at)) return { id, begins: true, events }
  const shared = { queue, at: new Date(Number(at)).toISOString() }
  for (let i = 0; i + 1 < moves.length; i += 2) {
    events.push(...readMoves(moves[i] as string, moves[i + 1] as string, shared))
  }
  return { id, begins: false, events }
}

const streamOf = (engine: Engine, partition: Partition): string =>
  partitionKeys(engine.prefix, partition).events

/** A right that is missing does not come back by waiting, as a Redis that is away does. */
async function withRights<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call
  } catch (error) {
    const lack = error instanceof RedisDistroError ? lackOf(error.cause) : undefined
    if (lack === undefined) throw error
    const what = `Redis refuses its user ${lack}, and events need that`
    const words = `${what}; docs/redis.md lists a user's rights, and 'redisdistro doctor' tries them`
    throw new RedisDistroError('no_rights', words, { cause: error })
  }
}

/** Asks for a partition's moves to be told for `ms`; the id of the last entry. */
export async function listenTo(engine: Engine, partition: Partition, ms: number): Promise<string> {
  await withRights(runScript(engine, { script: listenScript, partition, named: { ms, keep } }))
  return await withRights(engine.store.lastInStream(streamOf(engine, partition)))
}

/** What was told of a partition, and is kept. */
export async function readTold(
  engine: Engine,
  partition: Partition,
  range: EventRange,
): Promise<EventEntry[]> {
  const key = streamOf(engine, partition)
  const entries = await withRights(readAt(key, engine.store.readStream(key, range)))
  return entries.map((entry) => readEntry(entry, partition))
}

/** Which partitions can be followed in one call: those with the same name here. */
export const laneOf = (engine: Engine, partition: Partition): string =>
  engine.store.laneOf(streamOf(engine, partition))

/** What is told of partitions past an id of each; waits for the first at most `ms`. */
export async function followTold(
  engine: Engine,
  after: ReadonlyMap<Partition, string>,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Map<Partition, EventEntry[]>> {
  const keys = new Map([...after].map(([partition, id]) => [streamOf(engine, partition), id]))
  const found = await withRights(engine.store.followStreams(keys, ms, signal))
  const told = new Map<Partition, EventEntry[]>()
  for (const partition of after.keys()) {
    const entries = found.get(streamOf(engine, partition))
    if (entries)
      told.set(
        partition,
        entries.map((entry) => readEntry(entry, partition)),
      )
  }
  return told
}
