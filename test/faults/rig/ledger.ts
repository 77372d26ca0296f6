import { closeSync, openSync, readSync } from 'node:fs'

/** A line of the ledger: a handler of task `n`, by its payload, began or came to its end. */
export interface LedgerLine {
  readonly word: 'start' | 'end'
  readonly n: number
  readonly id: string
  readonly pid: number
  readonly attempt: number
  /** ms of the machine's monotonic clock, at which it was written. */
  readonly at: number
  /** ms of the harness's clock at which the line was seen here first. */
  readonly seen: number
}

/** What handlers wrote down, read on as it grows. */
export class Ledger {
  readonly #path: string
  readonly #lines: LedgerLine[] = []
  #read = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  /** All lines so far. */
  lines(): readonly LedgerLine[] {
    const seen = performance.now()
    const words = `${this.#rest}${this.#more()}`.split('\n')
    this.#rest = words.pop() ?? ''
    for (const line of words) {
      const [word, n, id = '', pid, attempt, at] = line.split(' ')
      this.#lines.push({
        word: word as LedgerLine['word'],
        n: Number(n),
        id,
        pid: Number(pid),
        attempt: Number(attempt),
        at: Number(at),
        seen,
      })
    }
    return this.#lines
  }

  starts(): LedgerLine[] {
    return this.lines().filter(({ word }) => word === 'start')
  }

  ends(): LedgerLine[] {
    return this.lines().filter(({ word }) => word === 'end')
  }

  #more(): string {
    let file: number
    try {
      file = openSync(this.#path, 'r')
    } catch {
      // Nobody has written yet.
      return ''
    }
    try {
      const chunks: string[] = []
      const buffer = Buffer.allocUnsafe(1 << 20)
      for (;;) {
        const length = readSync(file, buffer, 0, buffer.length, this.#read)
        if (length === 0) return chunks.join('')
        this.#read += length
        chunks.push(buffer.toString('latin1', 0, length))
      }
    } finally {
      closeSync(file)
    }
  }
}
