import type { Moved, PruneReply, RescueReply, Retention } from '../../src/core/broker.js'
import { endedStates, type State } from '../../src/core/state.js'
import {
  bury,
  day,
  end,
  endRun,
  expire,
  giveBack,
  hasEnded,
  holderOf,
  inState,
  type ModelTask,
  maxLosses,
  remove,
  stand,
  type World,
} from './world.js'

/** What people, rescuers and pruners do, on the model alone. */

/** One by one: a move from one of these states, or a refusal. */
function each(
  world: World,
  ids: readonly string[],
  move: { readonly from: readonly State[]; act(task: ModelTask): Moved | undefined },
): Moved[] {
  return ids.map((id) => {
    const task = world.tasks.get(id)
    if (!task) return { ok: false, reason: 'unknown_task' }
    const from = task.state
    if (!move.from.includes(from)) return { ok: false, reason: 'wrong_state', state: from }
    return move.act(task) ?? { ok: true, from }
  })
}

/** At once, also where it runs; its worker is told. */
export const cancel = (world: World, ids: readonly string[]): Moved[] =>
  each(world, ids, {
    from: ['scheduled', 'waiting', 'retryable', 'active'],
    act(task) {
      const { holder } = task
      if (holder) {
        task.history.ended.push(endRun(world, task, { outcome: 'cancel' }))
        const told = world.orders.get(holder.worker) ?? ''
        world.orders.set(holder.worker, `${told}${task.id} ${holder.fence}\n`)
      }
      end(world, task, 'cancelled')
      world.counts.cancelled += 1
      return undefined
    },
  })

/** A due time that is still ahead is no longer true once a person lets the task run. */
function undate(world: World, task: ModelTask): void {
  if ((task.runAt ?? 0) > world.now) delete task.runAt
}

/** Back in line with all its attempts, and with its unique key, unless another has it. */
export const requeue = (world: World, ids: readonly string[]): Moved[] =>
  each(world, ids, {
    from: ['dead', 'cancelled'],
    act(task) {
      const holder = holderOf(world, task.key)
      if (holder && holder.id !== task.id) {
        return { ok: false, reason: 'unique_held', state: task.state, holder: holder.id }
      }
      task.history = { failures: 0, losses: 0, deaths: 0, mismatch: 0, ended: task.history.ended }
      delete task.progress
      undate(world, task)
      const mark = world.own.get(task.id)
      if (mark) delete mark.ended
      world.ownUntil.delete(task.id)
      if (task.unique === 'held') world.unique.set(task.key, { id: task.id, until: 0 })
      stand(world, task)
      return undefined
    },
  })

export const promote = (world: World, ids: readonly string[]): Moved[] =>
  each(world, ids, {
    from: ['scheduled', 'retryable'],
    act(task) {
      undate(world, task)
      stand(world, task)
      return undefined
    },
  })

/** For good, and its id is forgotten with it. */
export const erase = (world: World, ids: readonly string[]): Moved[] =>
  each(world, ids, {
    from: endedStates,
    act(task) {
      const { id } = task
      remove(world, task)
      world.own.delete(id)
      world.ownUntil.delete(id)
      return undefined
    },
  })

/** Leases that are over, after the grace, or of processes that are gone; their tasks go back, and are buried at twenty losses. */
export function rescue(world: World, lease: number, gone: readonly string[]): RescueReply {
  for (const worker of world.leases.keys()) {
    if (gone.some((life) => worker.endsWith(`:${life}`))) world.leases.set(worker, 0)
  }
  const grace = world.rescuedAt < world.now - lease / 2
  world.rescuedAt = world.now
  for (const [worker, until] of world.leases) {
    if (until === 0) continue
    if (grace && until < world.now + lease) world.leases.set(worker, world.now + lease)
    if (!grace && until < world.now) world.leases.set(worker, 0)
  }
  const audit = world.auditedAt < world.now - 60_000
  if (audit) world.auditedAt = world.now
  const workers = [...world.leases].filter(([, until]) => until === 0).map(([worker]) => worker)
  const lost = (worker: string) => workers.includes(worker) || (audit && !world.leases.has(worker))
  let [rescued, buried] = [0, 0]
  for (const task of world.tasks.values()) {
    if (!task.holder || !lost(task.holder.worker)) continue
    rescued += 1
    task.history.losses += 1
    world.counts.lost += 1
    if (task.history.losses < maxLosses) {
      giveBack(world, task)
      continue
    }
    buried += 1
    bury(world, task, endRun(world, task, { outcome: 'bury', code: 'lost' }))
  }
  for (const worker of workers) {
    world.workerless = world.now
    world.leases.delete(worker)
    world.orders.delete(worker)
  }
  return { workers: workers.sort(), rescued, buried }
}

/** Ended tasks go by count and by age; who was not started in time is buried; marks are forgotten. */
export function prune(world: World, retention: Retention): PruneReply {
  const gone = { completed: 0, dead: 0, cancelled: 0 }
  for (const state of endedStates) {
    const all = inState(world, state)
    const { age, count } = retention[state]
    const over = Math.max(0, all.length - count)
    const old = all.slice(over).filter((task) => task.endedAt <= world.now - age)
    for (const task of [...all.slice(0, over), ...old]) remove(world, task)
    gone[state] = over + old.length
  }
  let expired = 0
  for (const [id, startBy] of world.expiring) {
    const task = world.tasks.get(id)
    if (startBy > world.now || !task || hasEnded(task) || task.state === 'active') continue
    expire(world, task)
    expired += 1
  }
  for (const [id, until] of world.ownUntil) {
    if (until > world.now) continue
    if (world.tasks.has(id)) world.ownUntil.set(id, world.now + day)
    else {
      world.ownUntil.delete(id)
      world.own.delete(id)
    }
  }
  for (const [key, until] of world.uniqueUntil) {
    if (until > world.now) continue
    world.uniqueUntil.delete(key)
    const held = world.unique.get(key)
    if (held && held.until !== 0 && held.until <= world.now) world.unique.delete(key)
  }
  return { ...gone, expired }
}
