import type { LeasedTask, NewTask } from '../../src/core/broker.js'
import type { State } from '../../src/core/state.js'
import type { OutcomeName, Priority } from '../../src/core/task.js'

/*
 * What a partition is thought to be, written from docs/state-machine.md and the invariants of
 * docs/architecture.md alone. It stores nothing and calls nothing of the product: every move is a
 * change of these records, by a clock that stands still between steps.
 */

export const day = 86_400_000

/** Losses of any kind that bury a task. */
export const maxLosses = 20

/** The most urgent last. */
export const levels: readonly Priority[] = ['low', 'normal', 'high', 'critical']

/** A run that ended, or what a script wrote of one that never began (without `startedAt`). */
export interface Ended {
  readonly attempt: number
  readonly outcome: OutcomeName
  readonly startedAt?: number
  readonly endedAt: number
  readonly code?: string
}

export interface History {
  failures: number
  losses: number
  deaths: number
  mismatch: number
  ended: Ended[]
}

export interface ModelTask {
  readonly id: string
  readonly priority: Priority
  readonly payload: unknown
  readonly enqueuedAt: number
  readonly deadLetter: string
  readonly own: boolean
  readonly expires: boolean
  readonly unique: 'none' | 'held' | 'timed'
  readonly key: string
  /** When it was first due, where that is still true. */
  runAt?: number
  state: State
  /** Its place in line, which it keeps while it is active. */
  place: number
  dueAt: number
  endedAt: number
  holder?: { readonly worker: string; readonly fence: string }
  history: History
  progress?: number
  completion?: {
    readonly startedAt: number
    readonly attempt: number
    readonly result: unknown
    /** The progress it told last. */
    readonly told: number | undefined
  }
}

/** What a worker process knows of a task that it leased, long after it was taken from it too. */
export interface Claim {
  readonly task: LeasedTask
  progressed: boolean
}

/** A worker process, as it sees itself. */
export interface Hand {
  readonly name: string
  claims: Claim[]
  /** What it heard to stop, and will say that it heard. */
  heard: string
}

export type CounterName = 'enqueued' | 'completed' | 'retried' | 'dead' | 'cancelled' | 'lost'

export interface World {
  now: number
  sequence: number
  fence: number
  paused: boolean
  /** When a rescuer last looked, and when it last looked for holders that are no workers. */
  rescuedAt: number
  auditedAt: number
  /** When a worker was last taken out; 0 if never. */
  workerless: number
  readonly tasks: Map<string, ModelTask>
  /** Worker → when its lease ends; 0 where it is marked dead. */
  readonly leases: Map<string, number>
  readonly orders: Map<string, string>
  readonly own: Map<string, { print: string; ended?: State }>
  readonly ownUntil: Map<string, number>
  /** Unique key → who holds it; until 0 as long as that one has not ended. */
  readonly unique: Map<string, { id: string; until: number }>
  readonly uniqueUntil: Map<string, number>
  readonly expiring: Map<string, number>
  readonly counts: Record<CounterName, number>
  /** Worker processes, dead ones no longer. */
  readonly hands: Map<string, Hand>
  /** Batches whose answers may have been lost, to be sent again. */
  sent: NewTask[][]
  made: number
  joined: number
  /** Number of partitions → when it was published. */
  readonly layouts: Map<number, number>
  /** Every move that was made, as `from → to`. */
  readonly moves: Set<string>
}

/** A partition that nothing lies in. */
export const emptyWorld = (): World => ({
  now: 1_764_000_000_000,
  sequence: 0,
  fence: 0,
  paused: false,
  rescuedAt: 0,
  auditedAt: 0,
  workerless: 0,
  tasks: new Map(),
  leases: new Map(),
  orders: new Map(),
  own: new Map(),
  ownUntil: new Map(),
  unique: new Map(),
  uniqueUntil: new Map(),
  expiring: new Map(),
  counts: { enqueued: 0, completed: 0, retried: 0, dead: 0, cancelled: 0, lost: 0 },
  hands: new Map(),
  sent: [],
  made: 0,
  joined: 0,
  layouts: new Map(),
  moves: new Set(),
})

export const noHistory = (): History => ({
  failures: 0,
  losses: 0,
  deaths: 0,
  mismatch: 0,
  ended: [],
})

/** Each with the rank that orders it; ties by id, as bytes. */
function inOrder(tasks: ModelTask[], rank: (task: ModelTask) => number): ModelTask[] {
  return tasks.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
}

const rankOf = (task: ModelTask): number => {
  const level = levels.indexOf(task.priority)
  if (task.state === 'waiting') return (3 - level) * 2 ** 51 + task.place
  if (task.state === 'scheduled' || task.state === 'retryable') return task.dueAt + level / 4
  return task.endedAt
}

/** The tasks of a state in its order: of the line, of due times, of ends. */
export const inState = (world: World, state: State): ModelTask[] =>
  inOrder(
    [...world.tasks.values()].filter((task) => task.state === state),
    rankOf,
  )

export const hasEnded = ({ state }: ModelTask): boolean =>
  state === 'completed' || state === 'dead' || state === 'cancelled'

/** The one way from state to state. Who is active no longer is held no longer. */
export function become(world: World, task: ModelTask, state: State): void {
  world.moves.add(`${world.tasks.has(task.id) ? task.state : 'new'} → ${state}`)
  world.tasks.set(task.id, task)
  task.state = state
  if (state !== 'active') delete task.holder
}

/** For good. */
export function remove(world: World, task: ModelTask): void {
  world.moves.add(`${task.state} → gone`)
  world.tasks.delete(task.id)
}

/** At the end of its level. */
export function stand(world: World, task: ModelTask): void {
  world.sequence += 1
  task.place = world.sequence
  become(world, task, 'waiting')
}

/** Given back unspent, to the place it had. */
export function giveBack(world: World, task: ModelTask): void {
  become(world, task, 'waiting')
  delete task.progress
}

/** An end, and what a task leaves behind: key, expiry; its own id is remembered for a day. */
export function end(world: World, task: ModelTask, state: 'completed' | 'dead' | 'cancelled') {
  become(world, task, state)
  task.endedAt = world.now
  world.expiring.delete(task.id)
  const held = world.unique.get(task.key)
  if (task.unique === 'held' && held?.id === task.id && held.until === 0) {
    world.unique.delete(task.key)
  }
  if (!task.own) return
  const mark = world.own.get(task.id)
  if (mark) mark.ended = state
  world.ownUntil.set(task.id, world.now + day)
}

export function bury(world: World, task: ModelTask, last: Ended): void {
  task.history.ended.push(last)
  end(world, task, 'dead')
  world.counts.dead += 1
}

/** Not started in time. */
export const expire = (world: World, task: ModelTask): void =>
  bury(world, task, {
    attempt: task.history.failures + 1,
    outcome: 'bury',
    endedAt: world.now,
    code: 'expired',
  })

/** A run that a script ends, since its worker cannot. */
export function endRun(
  world: World,
  task: ModelTask,
  parts: { readonly outcome: OutcomeName; readonly code?: string },
): Ended {
  task.history.failures += 1
  const startedAt = Math.floor(Number(task.holder?.fence) / 1000)
  const { outcome, ...code } = parts
  return { attempt: task.history.failures, outcome, startedAt, endedAt: world.now, ...code }
}

/** Who holds a unique key now. */
export function holderOf(world: World, key: string): { id: string; task?: ModelTask } | undefined {
  const held = key === '' ? undefined : world.unique.get(key)
  if (!held) return undefined
  const task = world.tasks.get(held.id)
  if (held.until === 0 ? !task || hasEnded(task) : held.until <= world.now) return undefined
  return task ? { id: held.id, task } : { id: held.id }
}

/** Whether a worker's word counts. */
export const holdsLease = (world: World, worker: string): boolean =>
  (world.leases.get(worker) ?? 0) !== 0
