import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPrivate } from '../broker/embedded/control.js'
import { systemClock } from '../core/clock.js'
import { isLife, type Life } from '../core/life.js'
import type { Service } from '../core/service.js'
import { Rounds } from '../services/round.js'

export interface NeighboursOptions {
  readonly own: Life
  /** ms. */
  readonly lease: number
  /** Others may be gone besides those that were. */
  onGone(): void
  /** The folder where kernels that can see each other's processes meet; undefined where none can. */
  readonly folder?: () => Promise<string | undefined>
}

/** Between two looks at the others, in ms. */
const lookEvery = 250

/** So many are looked at closely each time; of more, only each eighth time, and by their numbers between. */
const few = 8

/** For what a process left behind to end, such as a child that runs a task alone, in ms. */
const leftBehind = 750

/** A process as its file tells of it; `start` is '' where the system does not say it. */
interface Neighbour {
  readonly pid: number
  readonly start: string
}

/**
 * The kernels of one user on one machine, whatever their stores, each with a file that tells its process.
 * One that is no more needs no lease to run out: its tasks go to those who live within about a second.
 * Another machine's, and another container's, are not seen; they have their leases.
 */
export class Neighbours implements Service {
  readonly name = 'neighbours'
  readonly #options: NeighboursOptions
  readonly #rounds: Rounds
  readonly #known = new Map<Life, Neighbour>()
  /** When each was first seen to be gone, in ms of the monotonic clock. */
  readonly #seenGone = new Map<Life, number>()
  #gone: readonly Life[] = []
  #folder: string | undefined
  #stopping = false
  #looks = 0

  constructor(options: NeighboursOptions) {
    this.#options = options
    this.#rounds = new Rounds({
      name: this.name,
      every: lookEvery,
      round: () => this.#round(),
      // Then leases are all there is, as between machines.
      onFailure: () => undefined,
    })
  }

  /** Processes that are no more, for as long as a lease of theirs may be left. */
  get gone(): readonly Life[] {
    return this.#gone
  }

  start(): void {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#rounds.stop()
    if (this.#folder) await rm(join(this.#folder, this.#options.own), { force: true })
  }

  tick(): Promise<void> {
    return this.#rounds.tick()
  }

  async #round(): Promise<void> {
    this.#folder ??= await (this.#options.folder ?? meetingPlace)()
    if (!this.#folder) return
    try {
      await this.#look(this.#folder)
    } catch (error) {
      this.#folder = undefined
      throw error
    }
  }

  async #look(folder: string): Promise<void> {
    const names = (await readdir(folder)).filter(isLife)
    // On the first look, and after somebody has tidied up.
    if (!names.includes(this.#options.own)) await this.#comeIn(folder)
    const now = systemClock.monotonic()
    const closely = names.length <= few || this.#looks++ % 8 === 0
    for (const life of this.#known.keys()) if (!names.includes(life)) this.#forget(life)
    for (const life of names) {
      if (life === this.#options.own) continue
      const neighbour = this.#known.get(life) ?? (await readNeighbour(join(folder, life)))
      if (!neighbour) continue
      this.#known.set(life, neighbour)
      if (this.#seenGone.has(life)) continue
      if (!isThere(neighbour) || (closely && !(await isStill(neighbour)))) {
        this.#seenGone.set(life, now)
      }
    }
    const over = Math.max(60_000, this.#options.lease)
    for (const [life, at] of this.#seenGone) {
      if (now - at < over) continue
      await rm(join(folder, life), { force: true })
      this.#forget(life)
    }
    this.#tell(now)
  }

  async #comeIn(folder: string): Promise<void> {
    const start = (await statOf(process.pid))?.start ?? ''
    await writeFile(join(folder, this.#options.own), `${process.pid} ${start}\n`)
  }

  #forget(life: Life): void {
    this.#known.delete(life)
    this.#seenGone.delete(life)
  }

  #tell(now: number): void {
    const gone = [...this.#seenGone].flatMap(([life, at]) => (now - at >= leftBehind ? life : []))
    const isNew = gone.some((life) => !this.#gone.includes(life))
    this.#gone = gone
    if (isNew && !this.#stopping) this.#options.onGone()
  }
}

/**
 * A folder of this user's own for this boot of the machine and for processes that see each other by
 * their numbers; undefined where that cannot be told for certain.
 */
async function meetingPlace(): Promise<string | undefined> {
  const view = process.platform === 'linux' ? await linuxView() : process.platform
  if (view === undefined) return undefined
  const folder = join(tmpdir(), `redisdistro-${process.getuid?.() ?? 'user'}-kernels-${view}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Somebody else's would tell them our names, and us their lies.
  return (await isPrivate(folder)) ? folder : undefined
}

/** Undefined where /proc is that of other processes than those of our numbers. */
async function linuxView(): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const space = /\d+/.exec(await readlink('/proc/self/ns/pid'))?.[0]
    const own = (await readFile('/proc/self/stat', 'utf8')).startsWith(`${process.pid} `)
    return own && space !== undefined ? `${boot}-${space}` : undefined
  } catch {
    return undefined
  }
}

async function readNeighbour(path: string): Promise<Neighbour | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const [, pid, start = ''] = /^(\d+) (\d*)\n$/.exec(text) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), start }
}

/** Whether there is a process of this number; whatever is not certain is taken for life. */
function isThere({ pid }: Neighbour): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Not one that has ended and that nobody has waited for, nor another one under the same number. */
async function isStill({ pid, start }: Neighbour): Promise<boolean> {
  const stat = start === '' ? undefined : await statOf(pid)
  return !stat || (!/[ZX]/.test(stat.state) && stat.start === start)
}

/** A process's state, and when it started in ticks since boot; undefined where the system does not say. */
async function statOf(pid: number): Promise<{ state: string; start: string } | undefined> {
  if (process.platform !== 'linux') return undefined
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name before, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields[0], fields[19]]
  return state && start ? { state, start } : undefined
}
