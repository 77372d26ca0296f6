import { spread } from './statistics.js'

/** @typedef {import('./measures/measure.js').Measure} Measure */
/** @typedef {import('./statistics.js').Spread} Spread */

/**
 * What one contender reached in one round.
 * @typedef {object} Outcome
 * @property {string} measure
 * @property {string} contender
 * @property {number} round from 1
 * @property {Record<string, number>} [figures]
 * @property {string} [failure] where it did not come to its end
 */

/**
 * A figure over all rounds.
 * @typedef {object} Summary
 * @property {string} measure
 * @property {string} figure
 * @property {string} contender
 * @property {Spread} value
 * @property {Spread} [ratio] to the baseline of the same round
 */

/** Gathers outcomes, and sums them up over the rounds. */
export class Results {
  /** @type {Outcome[]} */
  outcomes = []

  /** @param {Outcome} outcome */
  add(outcome) {
    this.outcomes.push(outcome)
  }

  get failures() {
    return this.outcomes.filter(({ failure }) => failure !== undefined)
  }

  /**
   * @param {Measure} measure
   * @returns {Summary[]}
   */
  summaries(measure) {
    return measure.figures.flatMap(({ key }) =>
      measure.contenders.flatMap((contender) => this.#summary(measure, key, contender) ?? []),
    )
  }

  /**
   * @param {Measure} measure
   * @param {string} figure
   * @param {string} contender
   * @returns {Summary | undefined}
   */
  #summary({ name: measure, baseline }, figure, contender) {
    const own = this.#values(measure, figure, contender)
    if (own.size === 0) return undefined
    const base = this.#values(measure, figure, baseline)
    const ratios = [...own].flatMap(([round, value]) => {
      const other = base.get(round)
      return other === undefined || other === 0 ? [] : value / other
    })
    return {
      measure,
      figure,
      contender,
      value: spread([...own.values()]),
      ...(ratios.length === 0 ? {} : { ratio: spread(ratios) }),
    }
  }

  /**
   * A figure by the round.
   * @param {string} measure
   * @param {string} figure
   * @param {string} contender
   */
  #values(measure, figure, contender) {
    /** @type {Map<number, number>} */
    const values = new Map()
    for (const outcome of this.outcomes) {
      const value = outcome.figures?.[figure]
      const wanted = outcome.measure === measure && outcome.contender === contender
      if (wanted && value !== undefined) values.set(outcome.round, value)
    }
    return values
  }
}
