import { randomBytes } from 'node:crypto'
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Between two looks of a worker at whether its port is wanted, in ms. */
const lookEvery = 150

const prefixOf = (port: number) => `port-${port}.`

/**
 * A worker's port, on loan until the producer of the project wants it: producer and worker of one
 * machine share a `.env`, either may be the first, and the port belongs to the producer. A file in
 * the project's folder says that it is lent; whoever takes the file away wants the port.
 */
export class PortLoan {
  readonly #directory: string
  readonly #path: string
  #timer: NodeJS.Timeout | undefined
  #given: Promise<void> | undefined

  constructor(directory: string, port: number) {
    this.#directory = directory
    this.#path = join(directory, `${prefixOf(port)}${randomBytes(6).toString('hex')}`)
  }

  /** Before the port is taken, or a producer could find it taken and nobody to ask. */
  async begin(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await writeFile(this.#path, `${process.pid}\n`)
    } catch {
      // Where nothing can be written the port is not lent, and stays with who came first.
      this.#given = Promise.resolve()
    }
  }

  /** Calls `giveUp` once when the port is wanted. */
  watch(giveUp: () => Promise<void>): void {
    if (this.#given) return
    this.#timer = setInterval(() => void this.#look(giveUp), lookEvery).unref()
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#given ??= rm(this.#path, { force: true })
    await this.#given
  }

  async #look(giveUp: () => Promise<void>): Promise<void> {
    try {
      await access(this.#path)
    } catch {
      clearInterval(this.#timer)
      this.#given ??= giveUp()
    }
  }
}

/** Asks the workers that lend a port for it; false where none does. */
export async function claimPort(directory: string, port: number): Promise<boolean> {
  const names = await readdir(directory).catch(() => [])
  const lent = names.filter((name) => name.startsWith(prefixOf(port)))
  await Promise.all(lent.map((name) => rm(join(directory, name), { force: true })))
  return lent.length > 0
}
