import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { Clock } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import { type ErrorCode, errorCodes } from '../core/errors.js'
import type { Announce } from './announce.js'
import { copyWindow, isKernelMessage, type StopSignal, stopSignals } from './kernel-link.js'

export interface SupervisorOptions {
  /** Starts a kernel's process with an IPC channel. */
  readonly fork: () => ChildProcess
  readonly announce: Announce
  readonly clock: Clock
}

/** How a kernel's process ended. */
interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether it said that it was asked to stop. */
  readonly stopping: boolean
  /** Whether it said, at length, why it could not boot. */
  readonly refused: boolean
  readonly refusedBy: ErrorCode | undefined
  /** Why there was no process at all. */
  readonly unborn?: Error
  /** ms that it was ready. */
  readonly healthy: number
}

const firstPause = 1_000
const longestPause = 30_000
/** ms of health after which the next death is the first one again. */
const healthyAgain = 60_000
/** ms that a process has to end after the second signal. */
const lastGrace = 1_000
/** ms after a process's end for what it said before to be read. */
const lastWords = 250

/**
 * Runs the kernel in a process of its own and starts a new one when it dies. Hands signals on;
 * after the first one nothing is started again, the second ends everything at once. A kernel whose
 * first boot fails is not tried again: its config or its Redis is wrong, and someone is watching.
 * One that had begun to lease, or was killed, has not failed by its boot.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  #child: ChildProcess | undefined
  /** Whether one came so far that it leased, or was ready. */
  #wasUp = false
  #pause = firstPause
  /** Monotonic ms of the first signal. */
  #stoppedAt: number | undefined
  #forcedCode: number | undefined
  #wake: (() => void) | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Runs until the end, and gives the exit code. */
  async run(): Promise<number> {
    for (;;) {
      const end = await this.#runOnce()
      if (this.#forcedCode !== undefined) return this.#forcedCode
      // A handler may call process.exit(0): without a word of a stop that is a crash as well.
      if (end.code === 0 && (end.stopping || this.#stoppedAt !== undefined)) return 0
      if (this.#stoppedAt !== undefined) return codeOf(end)
      if (!this.#mayRestart(end)) return this.#giveUp(end)
      await this.#waitAfter(end)
      if (this.#stoppedAt !== undefined) return 0
    }
  }

  /** Hands a signal on; a second one that is no copy of the first ends everything at once. */
  signal(signal: StopSignal): void {
    const now = this.#options.clock.monotonic()
    this.#child?.kill(signal)
    if (this.#stoppedAt === undefined) {
      this.#stoppedAt = now
      this.#wake?.()
    } else if (now - this.#stoppedAt >= copyWindow && this.#forcedCode === undefined) {
      this.#forcedCode = stopSignals[signal]
      // One whose event loop is blocked hears no signal but this one.
      setTimeout(() => this.#child?.kill('SIGKILL'), lastGrace)
    }
  }

  #runOnce(): Promise<End> {
    const { fork, clock, announce } = this.#options
    let child: ChildProcess
    try {
      child = fork()
    } catch (error) {
      return Promise.resolve(unborn(error))
    }
    this.#child = child
    let readyAt: number | undefined
    const said = {
      stopping: false,
      refused: false,
      refusedBy: undefined as ErrorCode | undefined,
    }
    child.on('message', (message) => {
      if (!isKernelMessage(message)) return
      if (message.kind === 'stopping') said.stopping = true
      else if (message.kind === 'refused') {
        said.refused = true
        said.refusedBy = message.code
      } else {
        this.#wasUp = true
        if (message.kind === 'ready') readyAt = clock.monotonic()
      }
    })
    return new Promise((resolve) => {
      // Not once: a second one would end the supervisor. Of a process that lives, its end tells.
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(unborn(error))
        else announce.warn(`the kernel's process: ${error.message}`)
      })
      child.once('exit', (code, signal) => {
        this.#child = undefined
        const healthy = readyAt === undefined ? 0 : clock.monotonic() - readyAt
        const end = () => resolve({ code, signal, healthy, ...said })
        if (!child.connected) return end()
        const late = setTimeout(end, lastWords)
        child.once('disconnect', () => {
          clearTimeout(late)
          end()
        })
      })
    })
  }

  /** Once one was up, only a wrong config or a wrong flag keeps it from being started again. */
  #mayRestart({ signal, refused, refusedBy }: End): boolean {
    // A server's wrong setting is put right at the server, while this waits.
    const family = refusedBy && refusedBy !== 'unsafe_redis' && errorCodes[refusedBy].family
    if (family === 'config' || family === 'caller') return false
    return this.#wasUp || (signal !== null && !refused)
  }

  #giveUp(end: End): number {
    if (!end.refused) {
      const when = end.unborn ? '' : ' before it was ready'
      this.#options.announce.error(`the kernel ${howOf(end)}${when}`)
    }
    return codeOf(end) || 1
  }

  async #waitAfter(end: End): Promise<void> {
    if (end.healthy >= healthyAgain) this.#pause = firstPause
    const pause = this.#pause
    this.#pause = Math.min(pause * 2, longestPause)
    const next = `a new one starts in ${formatDuration(pause)}`
    this.#options.announce.warn(`the kernel ${howOf(end)}; ${next}`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** The machine may be out of processes or of memory, and have some again soon. */
const unborn = (error: unknown): End => ({
  code: null,
  signal: null,
  stopping: false,
  refused: false,
  refusedBy: undefined,
  healthy: 0,
  unborn: error instanceof Error ? error : new Error(String(error)),
})

function howOf({ code, signal, unborn: cause }: End): string {
  if (cause) return `could not be started (${cause.message})`
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`
}

/** The exit code that tells of an end: a signal's as shells give it. */
function codeOf({ code, signal }: End): number {
  if (code !== null) return code
  return signal === null ? 1 : 128 + constants.signals[signal]
}
