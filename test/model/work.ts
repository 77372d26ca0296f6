import type { Enqueued, LeasedTask, NewTask, Settlement } from '../../src/core/broker.js'
import {
  become,
  bury,
  type Claim,
  type Ended,
  end,
  expire,
  giveBack,
  hasEnded,
  holderOf,
  holdsLease,
  inState,
  type ModelTask,
  noHistory,
  remove,
  stand,
  type World,
} from './world.js'

/** What producers and workers do, on the model alone. */

const isPlain = (task: NewTask) =>
  task.due === undefined &&
  task.fingerprint === undefined &&
  task.expiresIn === undefined &&
  task.unique === undefined

function store(world: World, made: NewTask): Enqueued {
  const { id, due, unique } = made
  const at = due === undefined ? 0 : 'at' in due ? due.at : world.now + due.in
  const task: ModelTask = {
    id,
    priority: made.priority,
    payload: made.body.payload,
    enqueuedAt: made.body.enqueuedAt,
    deadLetter: made.deadLetter,
    own: made.fingerprint !== undefined,
    expires: made.expiresIn !== undefined,
    unique: unique === undefined ? 'none' : unique.for === undefined ? 'held' : 'timed',
    key: unique?.key ?? '',
    state: 'waiting',
    place: 0,
    dueAt: at,
    endedAt: 0,
    history: noHistory(),
  }
  if (at > world.now) {
    become(world, task, 'scheduled')
    task.runAt = at
  } else {
    stand(world, task)
  }
  world.counts.enqueued += 1
  if (made.fingerprint !== undefined) world.own.set(id, { print: made.fingerprint })
  if (made.expiresIn !== undefined) world.expiring.set(id, world.now + made.expiresIn)
  if (unique) {
    const until = unique.for === undefined ? 0 : world.now + unique.for
    world.unique.set(unique.key, { id, until })
    if (until > 0) world.uniqueUntil.set(unique.key, until)
  }
  const base = { id, state: task.state, duplicate: false, differs: false }
  return task.state === 'scheduled' ? { ...base, dueAt: at } : base
}

function enqueueOne(world: World, made: NewTask): Enqueued {
  const mark = world.own.get(made.id)
  const known = world.tasks.get(made.id)
  const dueOf = (task: ModelTask | undefined) =>
    task?.state === 'scheduled' || task?.state === 'retryable' ? { dueAt: task.dueAt } : {}
  if (mark || known) {
    const state = known?.state ?? mark?.ended ?? 'completed'
    const differs = made.fingerprint !== undefined && !!mark && mark.print !== made.fingerprint
    return { id: made.id, state, duplicate: true, differs, ...dueOf(known) }
  }
  const holder = holderOf(world, made.unique?.key ?? '')
  if (!holder) return store(world, made)
  const state = holder.task?.state ?? 'completed'
  return { id: holder.id, state, duplicate: true, differs: false, ...dueOf(holder.task) }
}

/** In the order given; of a call that is no repeat, those without options stand first. */
export function enqueue(world: World, tasks: readonly NewTask[], repeat: boolean): Enqueued[] {
  const answers = new Map<NewTask, Enqueued>()
  const first = repeat ? [] : tasks.filter(isPlain)
  for (const task of first) answers.set(task, store(world, task))
  for (const task of tasks) {
    if (!answers.has(task)) answers.set(task, enqueueOne(world, task))
  }
  return tasks.map((task) => answers.get(task) as Enqueued)
}

export interface Cycle {
  readonly worker: string
  readonly settled: readonly Settlement[]
  readonly wanted: number
  readonly promote: boolean
  readonly keep: number
}

export type CycleAnswer =
  | { lost: true }
  | {
      lost: false
      now: number
      leased: LeasedTask[]
      /** In order of their ids. */
      refused: string[]
      paused: boolean
      nextDue?: number
    }

/** Settles, promotes, leases. */
export function cycle(world: World, call: Cycle): CycleAnswer {
  if (!holdsLease(world, call.worker)) return { lost: true }
  const refused: string[] = []
  const done: ModelTask[] = []
  for (const settlement of call.settled) {
    const { id, fence } = settlement.task
    const task = world.tasks.get(id)
    if (task?.state === 'active' && task.holder?.fence === fence) {
      settle(world, task, settlement)
      if (hasEnded(task) && task.completion) done.push(task)
    } else {
      refused.push(id)
    }
  }
  if (done.length > 0) keepCompleted(world, done, call.keep)
  if (call.promote) promoteDue(world)
  const answer = { lost: false, now: world.now, refused: refused.sort(), paused: world.paused }
  if (world.paused) return { ...answer, lost: false, leased: [] }
  const line = inState(world, 'waiting').slice(0, call.wanted)
  const leased = lease(world, call.worker, line)
  const due = ['scheduled', 'retryable'].flatMap((state) => {
    return inState(world, state as 'scheduled').slice(0, 1)
  })
  const next = line.length < call.wanted ? Math.min(...due.map((task) => task.dueAt)) : Infinity
  return { ...answer, lost: false, leased, ...(next === Infinity ? {} : { nextDue: next }) }
}

function settle(world: World, task: ModelTask, { outcome, ...run }: Settlement): void {
  const { history } = task
  const ended = (name: Ended['outcome'], code?: string): Ended => {
    history.failures += 1
    const times = { startedAt: run.startedAt, endedAt: run.endedAt }
    return { attempt: history.failures, outcome: name, ...times, ...(code ? { code } : {}) }
  }
  const back = (after: number, state: 'retryable' | 'scheduled') => {
    become(world, task, state)
    delete task.progress
    task.dueAt = world.now + after
  }
  if (outcome.name === 'complete') {
    const attempt = run.task.failures + 1
    const { startedAt } = run
    task.completion = { startedAt, attempt, result: outcome.result, told: task.progress }
    delete task.progress
    world.counts.completed += 1
    end(world, task, 'completed')
  } else if (outcome.name === 'retry') {
    history.ended.push(ended('retry', outcome.error.code))
    world.counts.retried += 1
    back(outcome.after, 'retryable')
  } else if (outcome.name === 'bury') {
    bury(world, task, ended('bury', outcome.error.code))
  } else if (outcome.name === 'release') {
    const { after } = outcome
    if (after === undefined) giveBack(world, task)
    else back(after, 'scheduled')
    if (after !== undefined && history.mismatch === 0) history.mismatch = world.now
  } else {
    const counted = outcome.name === 'crash' ? 'deaths' : 'losses'
    history[counted] += 1
    const most = outcome.name === 'crash' ? outcome.maxDeaths : outcome.maxLosses
    if (history[counted] < most) giveBack(world, task)
    else bury(world, task, ended('bury', outcome.error.code))
  }
}

/**
 * No more completed ones than the count, the oldest first. Where nothing is kept this call's go at
 * once; what ended before stays for a round of retention.
 */
function keepCompleted(world: World, done: readonly ModelTask[], keep: number): void {
  const all = keep > 0 ? inState(world, 'completed') : []
  const gone = keep > 0 ? all.slice(0, Math.max(0, all.length - keep)) : done
  for (const task of gone) remove(world, task)
}

function promoteDue(world: World): void {
  for (const state of ['scheduled', 'retryable'] as const) {
    for (const task of inState(world, state)) if (task.dueAt <= world.now) stand(world, task)
  }
}

function lease(world: World, worker: string, line: readonly ModelTask[]): LeasedTask[] {
  const late = (task: ModelTask) => (world.expiring.get(task.id) ?? Infinity) <= world.now
  for (const task of line.filter(late)) expire(world, task)
  const taken = line.filter((task) => !hasEnded(task))
  if (taken.length === 0) return []
  world.fence = Math.max(world.fence + 1, world.now * 1000)
  const fence = String(world.fence).padStart(16, '0')
  return taken.map((task) => {
    become(world, task, 'active')
    task.holder = { worker, fence }
    return leasedTask(task, fence)
  })
}

function leasedTask(task: ModelTask, fence: string): LeasedTask {
  const { failures, losses, deaths, mismatch } = task.history
  const { id, payload, enqueuedAt, runAt } = task
  const body = { type: 'noop', payload, enqueuedAt, overrides: {}, tags: [] }
  return {
    id,
    fence,
    leasedAt: Math.floor(Number(fence) / 1000),
    priority: task.priority,
    body: runAt === undefined ? body : { ...body, runAt },
    deadLetter: task.deadLetter,
    uniqueKey: task.key === '' ? undefined : encodeURIComponent(task.key),
    flags: { own: task.own, expires: task.expires, unique: task.unique },
    failures,
    losses,
    deaths,
    mismatchSince: mismatch,
    broken: undefined,
  }
}

/** A worker process is told what it leased. */
export const claim = (task: LeasedTask): Claim => ({ task, progressed: false })

/** Kept while the task is held under its fence, by a worker that holds its lease. */
export function tellProgress(
  world: World,
  worker: string,
  told: { readonly id: string; readonly fence: string; readonly value: number },
): void {
  const task = world.tasks.get(told.id)
  if (!holdsLease(world, worker) || task?.holder?.fence !== told.fence) return
  task.progress = told.value
}

/** By id and fence alone. */
export function giveBackHeld(
  world: World,
  worker: string,
  held: readonly { readonly id: string; readonly fence: string }[],
): void {
  if (!holdsLease(world, worker)) return
  for (const { id, fence } of held) {
    const task = world.tasks.get(id)
    if (task?.holder?.fence === fence) giveBack(world, task)
  }
}

/** What a worker holds, in order of ids. */
export const heldBy = (world: World, worker: string): { id: string; fence: string }[] =>
  [...world.tasks.values()]
    .filter((task) => task.holder?.worker === worker)
    .map((task) => ({ id: task.id, fence: task.holder?.fence ?? '' }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

/** Gives back what is held and ends the lease; refused where it is marked dead. */
export function leave(world: World, worker: string): void {
  if (!holdsLease(world, worker)) return
  giveBackHeld(world, worker, heldBy(world, worker))
  world.workerless = world.now
  world.leases.delete(worker)
  world.orders.delete(worker)
}

/** The lease goes on; what it is to stop, until it says that it heard. `undefined` where it is lost. */
export function renew(
  world: World,
  worker: string,
  call: { readonly lease: number; readonly heard: string },
): string | undefined {
  if (!holdsLease(world, worker)) return undefined
  world.leases.set(worker, world.now + call.lease)
  const told = world.orders.get(worker) ?? ''
  const left =
    call.heard !== '' && told.startsWith(call.heard) ? told.slice(call.heard.length) : told
  if (left === '') world.orders.delete(worker)
  else world.orders.set(worker, left)
  return left
}
