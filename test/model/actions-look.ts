import { states } from '../../src/core/state.js'
import { aTask, type Choose, someIds } from './action.js'
import { heldBy } from './work.js'
import { hasEnded, inState, type ModelTask, type World } from './world.js'

/** What is seen of a store by those who ask it. */

/** A task by its id, as people see it. */
export const find: Choose = (world, dice) => {
  const id = aTask(world, dice)?.id ?? 'nobody'
  return {
    says: `find ${id}`,
    apply: (model) => seen(model, model.tasks.get(id)),
    async send(real, broker) {
      const [found] = await broker.find(real.partition, [id])
      if (!found) return undefined
      const { body, attempts, losses, completedAttempt, mismatchSince, fence, worker } = found
      const { payload, runAt } = body
      const { state, priority, deadLetter, failures, dueAt, position, progress, result } = found
      return {
        ...{ id, state, priority, deadLetter, failures, losses, mismatchSince, payload, runAt },
        ...{ dueAt, position, progress, result, completedAttempt, fence, worker },
        attempts: attempts.map(({ attempt, outcome, error }) => [attempt, outcome, error?.code]),
      }
    },
  }
}

function seen(world: World, task: ModelTask | undefined) {
  if (!task) return undefined
  const { id, state, priority, deadLetter, history, payload, runAt, completion, holder } = task
  const { failures, losses, mismatch, ended } = history
  const due = state === 'scheduled' || state === 'retryable' ? task.dueAt : undefined
  const place = state === 'waiting' ? inState(world, state).indexOf(task) : undefined
  return {
    ...{
      id,
      state,
      priority,
      deadLetter,
      failures,
      losses,
      mismatchSince: mismatch,
      payload,
      runAt,
    },
    ...{ dueAt: due, position: place, progress: task.progress ?? completion?.told },
    ...{ result: completion?.result, completedAttempt: completion?.attempt },
    ...{ fence: holder?.fence, worker: holder?.worker },
    attempts: ended.map(({ attempt, outcome, code }) => [attempt, outcome, code]),
  }
}

/** The line and the sets, page by page. */
export const list: Choose = (_, dice) => {
  const state = dice.of(states)
  const limit = 1 + dice.roll(40)
  return {
    says: `list ${state}, ${limit} a page`,
    alone: true,
    apply(model) {
      const tasks = inState(model, state)
      const ids = tasks.map(({ id }) => id)
      if (state === 'active') return ids.sort()
      return tasks.some(hasEnded) ? ids.reverse() : ids
    },
    async send(real, broker) {
      const ids: string[] = []
      let after: string | undefined
      do {
        const more = after ? { after } : {}
        const page = await broker.list(real.partition, { state, limit, ...more })
        ids.push(...page.tasks.map(({ id }) => id))
        after = page.next
      } while (after)
      return state === 'active' ? ids.sort() : ids
    },
  }
}

/** Since when no lease is on, where none is and one ever was. */
function workerless(model: World): { workerless?: number } {
  const last = Math.max(0, ...model.leases.values())
  if (last >= model.now || (last === 0 && model.workerless === 0)) return {}
  return { workerless: Math.max(last, model.workerless) }
}

/** Depths, remembered ids, and how many leases are not over. */
export const counts: Choose = () => ({
  says: 'counts',
  apply: (model) => ({
    depth: Object.fromEntries(states.map((state) => [state, inState(model, state).length])),
    paused: model.paused,
    workers: [...model.leases.values()].filter((until) => until >= model.now).length,
    remembered: model.own.size,
    now: model.now,
    ...workerless(model),
  }),
  async send(real, broker) {
    const { oldestWaiting: _, ...reply } = await broker.counts(real.partition)
    return reply
  },
})

/** What is known of ids, of tasks whose records are gone too. */
export const remembered: Choose = (world, dice) => {
  const ids = [...someIds(world, dice), `own-${dice.roll(8)}`]
  return {
    says: `remembered ${ids.join(' ')}`,
    apply: (model) =>
      ids.map((id) => {
        const mark = model.own.get(id)
        const state = model.tasks.get(id)?.state ?? (mark && (mark.ended ?? 'completed'))
        return state && { id, state, fingerprint: mark?.print }
      }),
    send: (real, broker) => broker.remembered(real.partition, ids),
  }
}

/** Workers whose leases are not over, with what they hold; dead-letter keys in use. */
export const operators: Choose = () => ({
  says: 'workers and dead letters',
  alone: true,
  apply(model) {
    const live = [...model.leases].filter(([, until]) => until >= model.now)
    const workers = live.map(([name, until]) => [name, until, heldBy(model, name).length])
    const letters = new Map<string, number>()
    for (const { deadLetter } of inState(model, 'dead')) {
      letters.set(deadLetter, (letters.get(deadLetter) ?? 0) + 1)
    }
    return { workers: workers.sort(), letters: [...letters].sort() }
  },
  async send(real, broker) {
    const workers = await broker.workers(real.partition)
    const letters = await broker.deadLetters(real.partition)
    return {
      workers: workers
        .map(({ worker, leaseUntil, running }) => [worker, leaseUntil, running.length])
        .sort(),
      letters: letters.map(({ key, count }) => [key, count]).sort(),
    }
  },
})

/** A kernel publishes a number of partitions, or one is forgotten. */
export const publish: Choose = (_, dice) => {
  const partitions = 1 + dice.roll(3)
  const forgets = dice.chance(3)
  return {
    says: `${forgets ? 'forget' : 'publish'} ${partitions} partitions`,
    alone: true,
    apply(model) {
      if (forgets) model.layouts.delete(partitions)
      else model.layouts.set(partitions, model.now)
      return [...model.layouts].sort()
    },
    async send(real, broker) {
      const { queue } = real.partition
      const layout = { queue, partitions }
      if (forgets) await broker.forgetLayout({ ...layout, publishedAt: 0 })
      else await broker.publish({ types: [], queues: [layout] })
      const own = (await broker.layouts()).filter((each) => each.queue === queue)
      return own.map((each) => [each.partitions, each.publishedAt]).sort()
    },
  }
}
