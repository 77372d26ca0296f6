import { isDeepStrictEqual } from 'node:util'
import { type Action, Dice, type Real } from './action.js'
import { loadScripts } from './real.js'
import { chooseStep, together } from './steps.js'
import { countDifferences, differences } from './store.js'
import { emptyWorld, type World } from './world.js'

/** Steps after a flush that are done one by one: each may have its script sent anew. */
const serialAfterFlush = 25

/**
 * One partition and what it is thought to be. Its duties: it does steps on both, holds each answer
 * against the model's, and looks at the whole store when it is told to. Steps are sent without
 * waiting for each other where `window` allows, since the model knows every answer beforehand.
 */
export class Trial {
  world: World = emptyWorld()
  /** What was done, in words. */
  readonly history: string[] = []
  readonly #real: Real
  readonly #window: number
  #underWay: Promise<void>[] = []
  #serial = 0

  constructor(real: Real, window = 1) {
    this.#real = real
    this.#window = window
  }

  /** Does what the dice say, if it makes sense by now; throws where an answer is not the model's. */
  async step(kind: string, thrown: readonly number[]): Promise<void> {
    const dice = new Dice(thrown)
    if (kind === 'flush') return this.#flush()
    if (kind === 'two at once') return this.#twoAtOnce(dice)
    const action = chooseStep(kind, this.world, dice)
    if (!action) return
    this.history.push(action.says)
    const alone = action.alone || this.#serial > 0
    if (alone) await this.settled()
    this.#real.now = this.world.now
    const reply = action.send(this.#real, this.#real.broker)
    const wanted = action.apply(this.world)
    this.#underWay.push(
      reply.then((given) => {
        if (!same(given, wanted)) throw wrongAnswer(action.says, given, wanted)
      }),
    )
    if (alone || this.#underWay.length >= this.#window) await this.settled()
    if (this.#serial > 0) {
      this.#serial -= 1
      if (this.#serial === 0) await loadScripts(this.#real.redis)
    }
  }

  /** Every answer is there. */
  async settled(): Promise<void> {
    const underWay = this.#underWay
    this.#underWay = []
    const ends = await Promise.allSettled(underWay)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** Throws where anything in the store is not as the model has it. */
  async look({ counters = true } = {}): Promise<void> {
    await this.settled()
    const { redis, base } = this.#real
    const found = await differences(redis, base, this.world)
    if (counters) found.push(...(await countDifferences(redis, base, this.world)))
    if (found.length > 0) throw new Error(found.slice(0, 8).join('\n'))
  }

  /** The partition's scripts are gone from Redis, as after a restart. */
  async #flush(): Promise<void> {
    await this.settled()
    this.history.push('script flush')
    await this.#real.redis.script('FLUSH')
    this.#serial = serialAfterFlush
  }

  /** Two processes act at the same time: what comes of it is what one order of the two would give. */
  async #twoAtOnce(dice: Dice): Promise<void> {
    const [first, second] = together(this.world, dice)
    if (!first || !second) return
    await this.settled()
    this.history.push(`at once: ${first.says}; and: ${second.says}`)
    this.#real.now = this.world.now
    const { broker, other, redis, base } = this.#real
    const [one, two] = await Promise.all([
      first.send(this.#real, broker),
      second.send(this.#real, other),
    ])
    const failures: string[] = []
    for (const order of ['first', 'second'] as const) {
      const world = structuredClone(this.world)
      const wanted =
        order === 'first' ? applied(world, first, second) : applied(world, second, first).reverse()
      const answered = same(one, wanted[0]) && same(two, wanted[1])
      const found = answered ? await differences(redis, base, world) : ['other answers']
      if (found.length === 0) {
        this.world = world
        return
      }
      failures.push(`${order} before: ${found.slice(0, 4).join('\n')}`)
    }
    throw wrongAnswer(`${first.says} and ${second.says}`, [one, two], failures)
  }
}

const applied = (world: World, ...actions: Action[]): unknown[] =>
  actions.map((action) => action.apply(world))

/** A value that is undefined says the same as one that is left out. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))

const same = (given: unknown, wanted: unknown): boolean =>
  isDeepStrictEqual(given, wanted) || isDeepStrictEqual(plain(given), plain(wanted))

const wrongAnswer = (says: string, given: unknown, wanted: unknown): Error =>
  new Error(`${says}\nanswered ${JSON.stringify(given)}\nthe model ${JSON.stringify(wanted)}`)
