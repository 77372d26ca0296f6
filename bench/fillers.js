import { openChild } from './child.js'

/** @typedef {import('./rivals/rival.js').Place} Place */
/** @typedef {{ child: import('./child.js').Child, place: string }} Filler */

/**
 * Processes that fill queues for the measures of draining, one for each rival, so that who drains
 * did not enqueue. They live as long as the run, and idle while something is measured.
 */
export class Fillers {
  /** @type {Map<string, Filler>} */
  #fillers = new Map()

  /**
   * Enqueues `count` tasks that wait, and `later` ones that are due in an hour.
   * @param {string} rival
   * @param {Place} where
   * @param {{ count: number, later: number }} wanted
   */
  async fill(rival, where, { count, later }) {
    const { sampled: _, ...place } = where
    const child = await this.#at(rival, place)
    if (later > 0) await child.ask('fill', { count: later, due: 'later' })
    if (count > 0) await child.ask('fill', { count, due: 'now' })
  }

  /** Ends all of them. */
  async close() {
    for (const { child } of this.#fillers.values()) await child.end()
    this.#fillers.clear()
  }

  /**
   * The rival's process, with its producer at that place.
   * @param {string} rival
   * @param {Place} place
   */
  async #at(rival, place) {
    const filler = this.#fillers.get(rival) ?? { child: await openChild('producer'), place: '' }
    this.#fillers.set(rival, filler)
    const name = JSON.stringify(place)
    if (filler.place !== name) {
      if (filler.place !== '') await filler.child.ask('close')
      await filler.child.ask('open', { rival, place, manner: 'bulk', warmup: 0 })
      filler.place = name
    }
    return filler.child
  }
}
