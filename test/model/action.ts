import type { Redis } from 'ioredis'
import type { Broker, Partition } from '../../src/core/broker.js'
import type { Hand, ModelTask, World } from './world.js'

/** The store under test, as two processes see it, on a partition of its own. */
export interface Real {
  readonly broker: Broker
  /** The same store by another connection. */
  readonly other: Broker
  readonly redis: Redis
  readonly partition: Partition
  /** What stands before the name of each of the partition's keys. */
  readonly base: string
  /** What the brokers take for Redis's clock, in ms. */
  now: number
  /** As a keeper does; the runs to stop, or nothing where the lease is lost. */
  renew(worker: string, call: { lease: number; heard: string }): Promise<string | undefined>
}

/** One thing that is done, with all its values: the model says what must come of it. */
export interface Action {
  readonly says: string
  /** Changes the model, and gives the answer that the store must give. */
  apply(world: World): unknown
  send(real: Real, broker: Broker): Promise<unknown>
  /** More than one script: nothing else may be under way. */
  readonly alone?: boolean
}

/** Makes the choices of a step out of numbers that were thrown before. */
export class Dice {
  readonly #thrown: readonly number[]
  #at = 0

  constructor(thrown: readonly number[]) {
    this.#thrown = thrown
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    const thrown = this.#thrown[this.#at % this.#thrown.length] ?? 0
    this.#at += 1
    return below > 0 ? (thrown + Math.floor(this.#at / this.#thrown.length) * 7) % below : 0
  }

  /** True in one of `of` cases, and never where all dice show 0. */
  chance(of: number): boolean {
    return this.roll(of) === of - 1
  }

  pick<Value>(from: readonly Value[]): Value | undefined {
    return from[this.roll(from.length)]
  }

  of<const Value>(from: readonly [Value, ...Value[]]): Value {
    return from[this.roll(from.length)] as Value
  }
}

/** What a step would do to this world; nothing where it makes no sense in it. */
export type Choose = (world: World, dice: Dice) => Action | undefined

export const aHand = (world: World, dice: Dice): Hand | undefined =>
  dice.pick([...world.hands.values()])

export const aTask = (world: World, dice: Dice): ModelTask | undefined =>
  dice.pick([...world.tasks.values()])

/** Ids to act on: mostly of tasks that are there, sometimes of one that never was or is gone. */
export function someIds(world: World, dice: Dice): string[] {
  const amount = 1 + dice.roll(3)
  const ids = Array.from({ length: amount }, () =>
    dice.chance(9) ? `t${dice.roll(world.made + 2)}` : (aTask(world, dice)?.id ?? 'nobody'),
  )
  return [...new Set(ids)]
}
