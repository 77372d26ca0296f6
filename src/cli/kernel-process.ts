import { hostname } from 'node:os'
import { systemClock } from '../core/clock.js'
import { isRedisDistroError } from '../core/errors.js'
import type { Lives } from '../core/life.js'
import type { Kernel } from '../kernel/kernel.js'
import type { Role } from '../kernel/roles.js'
import { type Announce, announcer } from './announce.js'
import { type Boot, bannerOf, bootOf } from './boot-words.js'
import { describeFailure, endUncaught, exitCodeOf, exitCodes } from './failure.js'
import { copyWindow, type KernelMessage, type StopSignal, stopSignals } from './kernel-link.js'
import { jsonOf, remark } from './output.js'
import { placeOf } from './project.js'
import type { StartOptions } from './start-options.js'

/** ms that a boot which is no longer wanted has to come to its end. */
const bootGrace = 3_000
/** ms that a kernel which crashed may take to say what it was running. */
const askingGrace = 1_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface KernelProcessOptions {
  /** Sentences and a banner on stderr; else JSON lines. */
  readonly forPeople: boolean
  /** The supervisor's kernels; the first of them alone prints a result on stdout. */
  readonly lives: Lives
}

/** The roles that the flags ask for; both where they name none. */
function rolesOf({ producer, worker }: StartOptions): Role[] {
  const both = producer === worker
  return (['producer', 'worker'] as const).filter(
    (role) => both || (role === 'producer' ? producer : worker),
  )
}

const tell = (message: KernelMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })

/**
 * The kernel as a process: boots it, says what runs, and stops it on a signal, on the loss of its
 * supervisor, or after an error that nobody caught, since nothing is known of the state it left.
 */
export class KernelProcess {
  readonly #options: StartOptions
  readonly #forPeople: boolean
  readonly #lives: Lives
  readonly #announce: Announce
  readonly #ending: Promise<void>
  #end: () => void = () => undefined
  #signalledAt: number | undefined
  #crashed = false
  #kernel: Kernel | undefined

  constructor(options: StartOptions, { forPeople, lives }: KernelProcessOptions) {
    this.#options = options
    this.#forPeople = forPeople
    this.#lives = lives
    this.#announce = announcer(forPeople)
    this.#ending = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Runs until the kernel has stopped, and gives the exit code. */
  async run(): Promise<number> {
    this.#listen()
    const booting = this.#boot()
    try {
      const first = await Promise.race([booting, this.#ending.then(() => undefined)])
      if (first !== undefined) await this.#sayReady(first)
      else if (!(await this.#abandon(booting))) return this.#exitCode
    } catch (error) {
      return await this.#refuse(error)
    }
    await this.#ending
    return await this.#stop()
  }

  #listen(): void {
    for (const signal of Object.keys(stopSignals) as StopSignal[]) {
      process.on(signal, () => this.#onSignal(signal))
    }
    process.on('disconnect', () => this.#end())
    // A supervisor that died while this process was being loaded.
    if (!process.connected) this.#end()
    // In place of the end that a command comes to.
    process.off('uncaughtException', endUncaught)
    process.on('uncaughtException', (error) => {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#announce.error('An error that nobody caught; the kernel stops', { error: words })
      if (this.#crashed) return
      this.#crashed = true
      // Asked before the kernel stops, which answers nothing then.
      void Promise.race([this.#sayRunning(), pause(askingGrace)]).then(() => this.#end())
    })
  }

  #onSignal(signal: StopSignal): void {
    const now = systemClock.monotonic()
    if (this.#signalledAt === undefined) {
      this.#signalledAt = now
      void tell({ kind: 'stopping' })
      this.#announce.info(`Stopping on ${signal}; once more ends everything at once`)
      this.#end()
    } else if (now - this.#signalledAt >= copyWindow) {
      process.exit(stopSignals[signal])
    }
  }

  async #boot(): Promise<Boot> {
    const { createKernel } = await import('../kernel/kernel.js')
    const { host, port, logLevel, queues } = this.#options
    const { flags, ...place } = placeOf(this.#options)
    const kernel = await createKernel(undefined, {
      ...place,
      flags: { ...flags, host, port, logLevel },
    })
    this.#kernel = kernel
    const roles = rolesOf(this.#options)
    const beforeWork = () => tell({ kind: 'working' })
    const started = await kernel.start({ roles, queues, beforeWork, lives: this.#lives })
    return bootOf(kernel.config, { roles, queues, started })
  }

  async #sayReady(boot: Boot): Promise<void> {
    await tell({ kind: 'ready' })
    if (this.#options.json && this.#lives.gone.length === 0) {
      process.stdout.write(`${jsonOf(boot, 2)}\n`)
    }
    const level = this.#kernel?.config.logLevel
    if (this.#forPeople) remark(bannerOf(boot))
    else if (level === 'info' || level === 'debug' || level === 'trace') {
      this.#announce.info('RedisDistro is ready', { ...boot })
    }
  }

  /**
   * Waits a little for a boot that nobody wants any more, so that it can be undone; false where it
   * goes on, and is left to the end of the process.
   */
  async #abandon(booting: Promise<unknown>): Promise<boolean> {
    const late = pause(bootGrace).then(() => false)
    const settled = booting.then(
      () => true,
      () => true,
    )
    return await Promise.race([settled, late])
  }

  async #refuse(error: unknown): Promise<number> {
    remark(describeFailure(error))
    const code = isRedisDistroError(error) ? error.code : undefined
    await tell({ kind: 'refused', code })
    return exitCodeOf(error)
  }

  /** Nothing tells whose error it was; one of these tasks, most likely. */
  async #sayRunning(): Promise<void> {
    const workers = await this.#kernel?.operator.workers().catch(() => undefined)
    const own = (workers ?? []).filter(
      ({ pid, host }) => pid === process.pid && host === hostname(),
    )
    const running = own.flatMap((worker) => worker.running).slice(0, 50)
    if (running.length > 0) this.#announce.error('These tasks were running here then', { running })
  }

  async #stop(): Promise<number> {
    const stopping = this.#kernel?.stop()
    try {
      await (this.#crashed ? Promise.race([stopping, this.#graceOver()]) : stopping)
    } catch (error) {
      remark(describeFailure(error))
      return exitCodes.failed
    }
    return this.#exitCode
  }

  get #exitCode(): number {
    return this.#crashed ? exitCodes.failed : exitCodes.done
  }

  /**
   * After a crash the process ends with the grace. What runs then may be what crashed it: given back
   * it would cost nothing and crash the next kernel; a lease that runs out is a loss, and counts.
   */
  #graceOver(): Promise<void> {
    return pause(this.#kernel?.config.worker.shutdownGrace ?? 0)
  }
}
