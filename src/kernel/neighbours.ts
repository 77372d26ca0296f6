import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPrivate } from '../broker/embedded/control.js'
import { systemClock } from '../core/clock.js'
import { isLife, type Life } from '../core/life.js'
import { within } from '../core/within.js'
import { Rounds } from '../services/round.js'
import type { Log } from '../telemetry/log.js'
import { isStill, isThere, type Neighbour, readNeighbour, startOf } from './neighbour.js'

export interface NeighboursOptions {
  readonly own: Life
  /** ms. */
  readonly lease: number
  readonly log: Log
  /** Others may be gone besides those that were. */
  onGone(): void
  /** The folder where kernels that can see each other's processes meet; undefined where none can. */
  readonly folder?: () => Promise<string | undefined>
}

/** Between two looks at the others, in ms; and where there is no place to meet. */
const lookEvery = 250
const rareLook = 10_000

/** ms that the first look may hold up a start. */
const startWithin = 500

/** So many are looked at closely each time; of more, only each eighth time, and by their numbers between. */
const few = 8

/** For what a process left behind to end, such as a child that runs a task alone, in ms. */
const leftBehind = 750

/** ms that the file of one that is gone stays at least, for those who start again. */
const leastStay = 60_000

/** Files of those that are gone, at most; where nobody lives for long, nobody tidies up. */
const mostGone = 100

/**
 * The kernels of one user on one machine, whatever their stores, each with a file that tells its process.
 * One that is no more needs no lease to run out: its tasks go to those who live within about a second.
 * Another machine's, and another container's, are not seen; they have their leases.
 */
export class Neighbours {
  readonly #options: NeighboursOptions
  readonly #rounds: Rounds
  readonly #known = new Map<Life, Neighbour>()
  /** When each was first seen to be gone, in ms of the monotonic clock. */
  readonly #seenGone = new Map<Life, number>()
  #gone: ReadonlySet<Life> = new Set()
  #folder: string | undefined
  #alone = false
  #stopping = false
  #looks = 0

  constructor(options: NeighboursOptions) {
    this.#options = options
    this.#rounds = new Rounds({
      name: 'neighbours',
      every: () => (this.#alone ? rareLook : lookEvery),
      round: () => this.#round(),
      onFailure: (error) => this.#tellAlone(error),
    })
  }

  /** Processes that are no more, for as long as a lease of theirs may be left. */
  get gone(): readonly Life[] {
    return [...this.#gone]
  }

  /** Resolves when the others can tell this process's end, or soon where they cannot. */
  async start(): Promise<void> {
    await within(startWithin, this.tick())
    this.#rounds.start()
  }

  /** Leaves, and where nothing is `left` for others to take back the file stays. */
  async stop({ left }: { readonly left: boolean } = { left: true }): Promise<void> {
    this.#stopping = true
    await this.#rounds.stop()
    if (this.#folder && left) await rm(join(this.#folder, this.#options.own), { force: true })
  }

  tick(): Promise<void> {
    return this.#rounds.tick()
  }

  async #round(): Promise<void> {
    this.#folder ??= await (this.#options.folder ?? meetingPlace)()
    if (this.#folder === undefined) {
      if (!this.#alone) this.#tellAlone()
      this.#alone = true
      return
    }
    this.#alone = false
    try {
      await this.#look(this.#folder)
    } catch (error) {
      this.#folder = undefined
      throw error
    }
  }

  /** Then leases are all there is, as between machines. */
  #tellAlone(error?: unknown): void {
    const reason = error instanceof Error ? error.message : 'no folder of its own in TMPDIR'
    const words = "The end of other kernels' processes is not seen here; their leases run out"
    this.#options.log.debug(words, { reason })
  }

  async #look(folder: string): Promise<void> {
    // A disk that is full for a while keeps nobody from looking.
    const failure = await this.#comeIn(folder).catch((error: unknown) => error)
    const names = (await readdir(folder)).filter(isLife)
    const now = systemClock.monotonic()
    await this.#meet(folder, names, now)
    this.#tell(now)
    await this.#tidy(folder, now)
    if (failure !== undefined) throw failure
  }

  async #meet(folder: string, names: readonly Life[], now: number): Promise<void> {
    const closely = names.length <= few || this.#looks++ % 8 === 0
    const there = new Set(names)
    for (const life of this.#known.keys()) if (!there.has(life)) this.#forget(life)
    for (const life of names) {
      if (life === this.#options.own || this.#seenGone.has(life)) continue
      const neighbour = this.#known.get(life) ?? (await readNeighbour(join(folder, life)))
      if (!neighbour) continue
      this.#known.set(life, neighbour)
      if (!isThere(neighbour) || (closely && !(await isStill(neighbour)))) {
        this.#seenGone.set(life, now)
      }
    }
  }

  /** Its file in the folder, anew where somebody tidied up or it tells of another time. */
  async #comeIn(folder: string): Promise<void> {
    const path = join(folder, this.#options.own)
    const text = `${process.pid} ${await startOf(process.pid)} ${this.#options.lease}\n`
    if ((await readFile(path, 'utf8').catch(() => '')) === text) return
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  #forget(life: Life): void {
    this.#known.delete(life)
    this.#seenGone.delete(life)
  }

  #tell(now: number): void {
    const gone = [...this.#seenGone].flatMap(([life, at]) => (now - at >= leftBehind ? life : []))
    const isNew = gone.some((life) => !this.#gone.has(life))
    this.#gone = new Set(gone)
    if (isNew && !this.#stopping) this.#options.onGone()
  }

  async #tidy(folder: string, now: number): Promise<void> {
    const over: Life[] = []
    for (const [life, at] of this.#seenGone) {
      const stay = Math.max(leastStay, this.#known.get(life)?.lease ?? 0)
      if (now - at >= stay) over.push(life)
    }
    if (this.#seenGone.size - over.length > mostGone) over.push(...(await this.#oldest(folder)))
    for (const life of over) {
      await rm(join(folder, life), { force: true })
      this.#forget(life)
    }
  }

  /** Those beyond the bound that came in before the others did. */
  async #oldest(folder: string): Promise<Life[]> {
    const came = [...this.#seenGone.keys()].map(async (life) => {
      const file = await stat(join(folder, life)).catch(() => undefined)
      return { life, at: file?.mtimeMs ?? 0 }
    })
    const inOrder = (await Promise.all(came)).sort((a, b) => b.at - a.at)
    return inOrder.slice(mostGone).map(({ life }) => life)
  }
}

/**
 * A folder of this user's own for this boot of the machine and for processes that see each other by
 * their numbers and times; undefined where that cannot be told for certain.
 */
async function meetingPlace(): Promise<string | undefined> {
  const view = process.platform === 'linux' ? await linuxView() : undefined
  if (view === undefined) return undefined
  const folder = join(tmpdir(), `redisdistro-${process.getuid?.()}-kernels-${view}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Somebody else's would tell them our names, and us their lies.
  return (await isPrivate(folder)) ? folder : undefined
}

/** Undefined where /proc is that of other processes than those of our numbers. */
async function linuxView(): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const processes = await readlink('/proc/self/ns/pid')
    // Start times differ by it; older kernels have one time for all.
    const times = await readlink('/proc/self/ns/time').catch(() => '')
    const own = (await readFile('/proc/self/stat', 'utf8')).startsWith(`${process.pid} `)
    const spaces = [processes, times].map((name) => /\d+/.exec(name)?.[0] ?? '0')
    return own ? [boot, ...spaces].join('-') : undefined
  } catch {
    return undefined
  }
}
