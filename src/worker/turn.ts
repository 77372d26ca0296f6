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
}
