/**
 * Where the run is, on stderr: one line that is written over on a terminal, one for each step
 * elsewhere.
 */
export class Progress {
  #total
  #done = 0
  #text = ''
  #started = performance.now()
  #terminal = process.stderr.isTTY === true

  /** @param {number} total steps */
  constructor(total) {
    this.#total = total
  }

  /** @param {string} words what begins now */
  step(words) {
    this.#done++
    const seconds = Math.round((performance.now() - this.#started) / 1000)
    this.#text = `[${this.#done}/${this.#total}] ${seconds} s  ${words}`
    process.stderr.write(this.#terminal ? `\r\u001b[K${this.#text}` : `${this.#text}\n`)
  }

  /** @param {string} words how far the step is */
  tell(words) {
    process.stderr.write(this.#terminal ? `\r\u001b[K${this.#text}: ${words}` : `  ${words}\n`)
  }

  /** @param {string} words that stay */
  say(words) {
    process.stderr.write(`${this.#terminal ? '\r\u001b[K' : ''}${words}\n`)
  }

  end() {
    if (this.#terminal) process.stderr.write('\r\u001b[K')
  }
}
