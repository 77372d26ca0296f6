import { openChild } from './child.js'

/** @typedef {import('./rivals/rival.js').Place} Place */

/**
 * Processes that fill queues for the measures of draining, one for each rival and place, so that
 * who drains did not enqueue. They live as long as the run, and idle while something is measured.
 */
export class Fillers {
  /** @type {Map<string, Promise<import('./child.js').Child>>} */
  #children = new Map()

  /**
   * Enqueues `count` tasks that wait, or `later` ones that are due in an hour.
   * @param {string} rival
   * @param {Place} place
   * @param {{ count?: number, later?: number }} wanted
   */
  async fill(rival, place, { count = 0, later = 0 }) {
    const key = JSON.stringify([rival, place])
    let opening = this.#children.get(key)
    if (opening === undefined) {
      opening = open(rival, place)
      this.#children.set(key, opening)
    }
    const child = await opening
    if (later > 0) await child.ask('fill', { count: later, due: 'later' })
    if (count > 0) await child.ask('fill', { count, due: 'now' })
  }

  /** Ends all of them. */
  async close() {
    for (const opening of this.#children.values()) await (await opening).end()
    this.#children.clear()
  }
}

/**
 * @param {string} rival
 * @param {Place} place
 */
async function open(rival, place) {
  const child = await openChild('producer')
  await child.ask('open', { rival, place, manner: 'bulk', warmup: 0 })
  return child
}
