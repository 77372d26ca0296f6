/**
 * Pauses after failed cycles, in ms, the last one for all further failures in a row. No longer: a
 * queue stands still for as much of it as is left when Redis is back, and a call to one that is away
 * costs nothing.
 */
const rests = [50, 100]

/** The turns of a pump: what is asked for within one turn of the event loop makes one turn. */
export class Turn {
  #asked = false
  #wake: () => void = () => undefined

  ask(): void {
    if (this.#asked) return
    this.#asked = true
    setImmediate(() => {
      this.#asked = false
      this.#wake()
    })
  }

  /** Until a turn was asked for, or `ms` have passed. */
  async pause(ms?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (ms !== undefined) timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#wake = () => undefined
  }

  /** After so many failures in a row: until a turn was asked for, or some time has passed. */
  rest(failures: number): Promise<void> {
    return this.pause(rests[Math.min(failures, rests.length) - 1])
  }
}
