import type { Moved } from '../../src/core/broker.js'
import { aHand, type Choose, someIds } from './action.js'
import * as upkeep from './upkeep.js'
import { renew as renewed } from './work.js'
import { day } from './world.js'

/** What people, rescuers, pruners, keepers and time do. */

const moves = {
  cancel: upkeep.cancel,
  requeue: upkeep.requeue,
  promote: upkeep.promote,
  erase: upkeep.erase,
}

const move =
  (name: keyof typeof moves): Choose =>
  (world, dice) => {
    const ids = someIds(world, dice)
    return {
      says: `${name} ${ids.join(' ')}`,
      apply: (model): Moved[] => moves[name](model, ids),
      send: (real, broker) => broker[name](real.partition, ids),
    }
  }

export const cancel = move('cancel')
export const requeue = move('requeue')
export const promote = move('promote')
export const erase = move('erase')

export const pause: Choose = (world) => {
  const paused = !world.paused
  return {
    says: paused ? 'pause' : 'resume',
    apply: (model) => {
      model.paused = paused
    },
    send: (real, broker) => broker.pause(real.partition, paused),
  }
}

/** A rescuer looks; now and then its supervisor told it which process is no more. */
export const rescue: Choose = (world, dice) => {
  const lease = dice.of([30_000, 30_000, 1000])
  const ended = dice.chance(6) ? dice.pick([...world.leases.keys()]) : undefined
  const gone = ended === undefined ? [] : [ended.slice(ended.indexOf(':') + 1)]
  return {
    says: `rescue by leases of ${lease} ms${ended === undefined ? '' : `, ${ended} is gone`}`,
    alone: true,
    apply: (model) => upkeep.rescue(model, lease, gone),
    async send(real, broker) {
      const reply = await broker.rescue(real.partition, lease, gone)
      return { ...reply, workers: [...reply.workers].sort() }
    },
  }
}

export const prune: Choose = (_, dice) => {
  const limit = () => ({ age: dice.of([day, 60_000, 90 * day]), count: dice.of([10, 30, 0]) })
  const retention = { completed: limit(), dead: limit(), cancelled: limit() }
  return {
    says: `prune ${JSON.stringify(retention)}`,
    alone: true,
    apply: (model) => upkeep.prune(model, retention),
    send: (real, broker) => broker.prune(real.partition, retention),
  }
}

/** Time goes on, mostly by little. */
export const pass: Choose = (_, dice) => {
  const ms = dice.of([1, 1, 7, 300, 1000, 5000, 11_000, 16_000, 31_000, 70_000, 3_700_000, day + 1])
  const step = ms > 100_000 && !dice.chance(3) ? 2 : ms
  return {
    says: `${step} ms pass`,
    apply: (model) => {
      model.now += step
    },
    send: async () => undefined,
  }
}

/** As a keeper does: the answer may be lost, and then nothing of it was heard. */
export const renew: Choose = (world, dice) => {
  const hand = aHand(world, dice)
  if (!hand) return undefined
  const call = { lease: dice.of([30_000, 30_000, 1000]), heard: hand.heard }
  const lostAnswer = dice.chance(5)
  return {
    says: `renew ${hand.name}${lostAnswer ? '; its answer is lost' : ''}`,
    alone: true,
    apply(model) {
      const told = renewed(model, hand.name, call)
      const self = model.hands.get(hand.name)
      if (self && !lostAnswer) self.heard = told ?? ''
      return told
    },
    send: (real) => real.renew(hand.name, call),
  }
}
