import type { CycleReply, NewTask, SettledOutcome, Settlement } from '../../src/core/broker.js'
import { type Action, aHand, type Choose, type Dice } from './action.js'
import * as work from './work.js'
import { day, type Hand, holdsLease, levels, type World } from './world.js'

/** What producers and workers do, and what goes wrong with them. */

const lease = 30_000

function newTask(world: World, dice: Dice, ids: Set<string>): NewTask {
  const chosen = dice.chance(5) ? `own-${dice.roll(8)}` : undefined
  const own = chosen !== undefined && !ids.has(chosen)
  const id = own ? chosen : `t${world.made + ids.size}`
  ids.add(id)
  const after = dice.of([1, 5, 700, 1000, 60_000, 3_600_000, 2 * day])
  const due = dice.of([undefined, undefined, undefined, { in: after }, { at: world.now + after }])
  const past = dice.chance(20) ? { at: world.now - after } : due
  const unique = { key: dice.of(['u', 'user:1 %ü', 'v w']) }
  return {
    id,
    priority: dice.of(levels as [(typeof levels)[number]]),
    deadLetter: dice.of(['dead', 'dead', 'dead:mail', 'slow']),
    body: {
      type: 'noop',
      payload: dice.of([null, 1, 'a "b" 𝄞', { deep: ['\n', { '1 2 3\n': [] }] }]),
      enqueuedAt: world.now - dice.of([0, 0, 3]),
      overrides: {},
      tags: [],
    },
    ...(past ? { due: past } : {}),
    ...(own ? { fingerprint: dice.of(['fa', 'fa', 'fb']) } : {}),
    ...(dice.chance(4) ? { expiresIn: dice.of([1, 1000, 9000, 90_000, day]) } : {}),
    ...(dice.chance(5)
      ? { unique: dice.chance(2) ? { ...unique, for: dice.of([10, 1000, day]) } : unique }
      : {}),
  }
}

function wordsOf({ id, priority, deadLetter, due, unique, ...rest }: NewTask): string {
  const { fingerprint, expiresIn } = rest
  const at = due === undefined ? '' : 'at' in due ? ` at ${due.at}` : ` in ${due.in}`
  const key = unique ? ` unique ${unique.key} ${unique.for ?? ''}` : ''
  const print = fingerprint === undefined ? '' : ` ${fingerprint}`
  return `${id}${print} ${priority} ${deadLetter}${at}${key}${expiresIn ? ` expires ${expiresIn}` : ''}`
}

const sendAgain = (batch: readonly NewTask[], repeat: boolean): Action => ({
  says: `enqueue${repeat ? ', looking each up' : ''}: ${batch.map(wordsOf).join(', ')}`,
  alone: !repeat,
  apply: (model) => work.enqueue(model, batch, repeat),
  send: (real, broker) => broker.enqueue(real.partition, batch, repeat),
})

/** A call of up to four tasks; its answer may be lost, so that it comes again some time. */
export const enqueue: Choose = (world, dice) => {
  // More would make each look at the whole of it slow.
  if (world.tasks.size > 250) return undefined
  const ids = new Set<string>()
  const batch = Array.from({ length: 1 + dice.roll(4) }, () => newTask(world, dice, ids))
  const action = sendAgain(batch, dice.chance(10))
  const plain = batch.every((task) => Object.keys(task).length === 4)
  const checked = batch.every((task) => Object.keys(task).length > 4)
  return {
    ...action,
    alone: !plain && !checked,
    apply(model) {
      model.made += batch.length
      model.sent = [...model.sent, batch].slice(-4)
      return action.apply(model)
    },
  }
}

/** An enqueue whose answer was lost is repeated, soon or long after. */
export const repeat: Choose = (world, dice) => {
  const batch = dice.pick(world.sent)
  return batch && sendAgain(batch, true)
}

const failed = (code: string) => ({ name: 'Error', message: 'it broke', code })

/** Some are lost again and again, so that the last of their losses comes. */
const unlucky = (id: string): boolean => id.endsWith('7')

const lose: SettledOutcome = { name: 'lose', maxLosses: 20, error: failed('lost') }

const outcomeOf = (id: string, dice: Dice): SettledOutcome =>
  unlucky(id)
    ? dice.of<SettledOutcome>([lose, { name: 'release' }])
    : dice.of<SettledOutcome>([
        { name: 'complete', result: { ok: [1] } },
        { name: 'complete', result: undefined },
        { name: 'complete', result: 'a\nb' },
        {
          name: 'retry',
          after: dice.of([0, 1, 999, 5000, 60_000, 7_200_000]),
          error: failed('failed'),
        },
        { name: 'bury', error: failed('refused') },
        { name: 'release' },
        { name: 'release', after: dice.of([1000, 30_000]) },
        { name: 'crash', maxDeaths: 2, error: failed('crashed') },
        lose,
      ])

function settlements(world: World, hand: Hand, dice: Dice): Settlement[] {
  const said = hand.claims.slice(0, dice.roll(hand.claims.length + 1))
  return said.map(({ task, progressed }) => ({
    task,
    progressed,
    startedAt: Math.min(world.now, task.leasedAt + dice.roll(3)),
    endedAt: world.now,
    outcome: outcomeOf(task.id, dice),
  }))
}

/** Replies are compared with their refused ids in order. */
const readCycle = (reply: CycleReply) =>
  reply.lost ? reply : { ...reply, refused: [...reply.refused].sort() }

function saysOf({ task: { id }, outcome }: Settlement): string {
  const after = 'after' in outcome ? ` ${outcome.after}` : ''
  return `${id} ${outcome.name}${after}`
}

/**
 * A worker says what became of tasks, and takes more. Now and then its answer is lost: what it leased
 * then is known to Redis alone, and what it settled is said again. A call after its lease was lost is
 * refused whole.
 */
export const cycle: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  if (!hand) return undefined
  const settled = settlements(world, hand, dice)
  const promote = dice.roll(2) === 1
  const call = {
    worker: hand.name,
    settled,
    promote,
    wanted: dice.of([0, 1, 2, 5, 40]),
    keep: dice.of([20, 20, 20, 3, 0]),
  }
  const lostAnswer = dice.chance(12)
  // As one whom a mark woke: it took the mark, and must leave another where it leaves work behind.
  const woken = dice.chance(8) && call.wanted > 0 && holdsLease(world, hand.name) && !world.paused
  const said = settled.map(saysOf).join(', ')
  const ends = lostAnswer ? '; its answer is lost' : ''
  return {
    says: `cycle of ${hand.name}${woken ? ', woken' : ''}: settles [${said}], wants ${call.wanted}${promote ? ', promotes' : ''}, keeps ${call.keep}${ends}`,
    // A task that expired in line takes a second script.
    alone: woken || [...world.expiring.values()].some((startBy) => startBy <= world.now),
    apply(model) {
      const answer = work.cycle(model, call)
      const self = model.hands.get(hand.name)
      if (!self || lostAnswer || answer.lost) return answer
      const kept = self.claims.slice(settled.length)
      self.claims = [...kept, ...answer.leased.map(work.claim)].slice(-60)
      return answer
    },
    async send(real, broker) {
      if (woken) await real.redis.lpop(`${real.base}wake`)
      const retention = { age: day, count: call.keep }
      return readCycle(await broker.cycle(real.partition, { ...call, retention }))
    },
  }
}

/** A word of a run, also of one that was taken from its worker long ago. */
export const progress: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  const claim = hand && dice.pick(hand.claims)
  if (!claim) return undefined
  const { task } = claim
  const value = dice.roll(100)
  return {
    says: `progress of ${hand.name}: ${task.id} ${value}`,
    apply(model) {
      const own = model.hands
        .get(hand.name)
        ?.claims.find((each) => each.task.fence === task.fence && each.task.id === task.id)
      if (own) own.progressed = true
      work.tellProgress(model, hand.name, { id: task.id, fence: task.fence, value })
    },
    send: (real, broker) => broker.progress(real.partition, hand.name, task, value),
  }
}

/** A new worker, under a name never used before. */
export const join: Choose = (world, dice) => {
  if (world.hands.size > 4 && !dice.chance(4)) return undefined
  // Behind the colon stands the life of its process.
  const name = `w${world.joined}:${String(world.joined).padStart(5, '0')}`
  const ms = dice.of([lease, lease, 1000])
  const details = { host: 'here', pid: 1, concurrency: 5, startedAt: world.now }
  return {
    says: `join ${name} for ${ms} ms`,
    apply(model) {
      model.joined += 1
      model.leases.set(name, model.now + ms)
      model.hands.set(name, { name, claims: [], heard: '' })
    },
    send: (real, broker) => broker.join(real.partition, name, ms, details),
  }
}

export const leave: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  if (!hand) return undefined
  // Its process may still say something.
  const stays = dice.chance(2)
  return {
    says: `${hand.name} leaves`,
    alone: true,
    apply(model) {
      work.leave(model, hand.name)
      if (!stays) model.hands.delete(hand.name)
    },
    send: (real, broker) => broker.leave(real.partition, hand.name),
  }
}

/** Nothing is ever heard of it again; its tasks are Redis's to find. */
export const die: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  if (!hand) return undefined
  return {
    says: `${hand.name} dies`,
    apply: (model) => void model.hands.delete(hand.name),
    send: async () => undefined,
  }
}

/** A worker looks what Redis thinks that it holds, and gives back what it does not know. */
export const giveBack: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  if (!hand) return undefined
  const known = new Set(hand.claims.map(({ task }) => `${task.id} ${task.fence}`))
  const held = work.heldBy(world, hand.name)
  const unknown = held.filter(({ id, fence }) => !known.has(`${id} ${fence}`))
  const stale = hand.claims.slice(0, dice.roll(3)).map(({ task: { id, fence } }) => ({ id, fence }))
  const given = [...unknown, ...stale]
  return {
    says: `${hand.name} gives back ${JSON.stringify(given)}`,
    alone: true,
    apply(model) {
      const before = work.heldBy(model, hand.name)
      work.giveBackHeld(model, hand.name, given)
      return before
    },
    async send(real, broker) {
      const before = await broker.held(real.partition, hand.name)
      await broker.giveBack(real.partition, hand.name, given)
      return before.sort((a, b) => (a.id < b.id ? -1 : 1))
    },
  }
}
