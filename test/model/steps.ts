import type { Action, Choose, Dice } from './action.js'
import * as look from './actions-look.js'
import * as upkeep from './actions-upkeep.js'
import * as work from './actions-work.js'
import type { World } from './world.js'

/** Every kind of step, with how often it comes. */
const weights = {
  enqueue: 14,
  repeat: 2,
  cycle: 26,
  progress: 4,
  join: 3,
  leave: 1,
  die: 1,
  giveBack: 2,
  find: 2,
  cancel: 3,
  requeue: 4,
  promote: 2,
  erase: 1,
  pause: 1,
  rescue: 5,
  prune: 3,
  pass: 12,
  renew: 5,
  list: 1,
  counts: 1,
  remembered: 1,
  operators: 0.5,
  publish: 0.2,
  flush: 0.1,
  'two at once': 1,
} as const

const { enqueue, repeat, cycle, progress, join, leave, die, giveBack } = work
const { cancel, requeue, promote, erase, pause, rescue, prune, pass, renew } = upkeep
const choices: Readonly<Record<string, Choose>> = {
  ...{ enqueue, repeat, cycle, progress, join, leave, die, giveBack },
  ...{ cancel, requeue, promote, erase, pause, rescue, prune, pass, renew },
  ...look,
}

export const kinds = Object.keys(weights) as (keyof typeof weights)[]

/** Each kind as many times as it weighs, at least once. */
export const weighed = kinds.flatMap((kind) =>
  Array.from({ length: Math.ceil(weights[kind]) }, () => kind),
)

/** A kind out of a number from 0 to 1. */
export function kindAt(share: number): (typeof kinds)[number] {
  let left = share * Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  for (const kind of kinds) {
    left -= weights[kind]
    if (left < 0) return kind
  }
  return 'pass'
}

/** What a step of this kind would do here and now. */
export const chooseStep = (kind: string, world: World, dice: Dice): Action | undefined =>
  choices[kind]?.(world, dice)

const single = [
  'enqueue',
  'repeat',
  'cycle',
  'cycle',
  'progress',
  'cancel',
  'requeue',
  'promote',
  'erase',
  'pause',
] as const

/** Two that are one script each, chosen by two processes that do not know of each other. */
export function together(world: World, dice: Dice): (Action | undefined)[] {
  // Ids that processes make never meet.
  const worlds = [world, { ...world, made: world.made + 1_000_000 }]
  const kinds = worlds.map(() => dice.of(single))
  const chosen = worlds.map((seen, i) => chooseStep(kinds[i] ?? '', seen, dice))
  return chosen.some((action) => !action || action.alone) ? [] : chosen
}
