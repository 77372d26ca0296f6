import { type ChildProcess, fork } from 'node:child_process'
import type { LeasedTask, SettledOutcome } from '../core/broker.js'
import type { Isolate, IsolatedEnd } from '../worker/isolate.js'
import { isFromChild, isStopSignal, type ToChild } from './child-words.js'
import { redactedLines } from './redacted-lines.js'

/** What is kept of the child's last output, in characters. */
const keptWords = 2000
/** Between the word to stop and the end of the process, in ms. */
const stopGrace = 1000
/** Time for plugins to close once the outcome is known, in ms. */
const closeGrace = 5000
/** Time for what the process said to arrive after its end, in ms: others may hold its output open. */
const lastWordsGrace = 250

interface Exit {
  /** In words. */
  readonly how: string
  /** By a signal that asks to stop. */
  readonly stopped: boolean
}

export interface ChildWork {
  readonly program: string
  readonly file: string
  /** ms from the fork until the handler must have begun. */
  readonly startWithin: number
  readonly task: LeasedTask
  readonly context: Parameters<Isolate>[1]
  begins(): void
}

/**
 * One task in one forked process. Every wait has its timer: for the handler to begin, for the end
 * after the word to stop, for plugins to close after the outcome, for the last words after the end.
 */
export class ChildRun {
  /** As soon as it is known how the run ended. Rejects where the handler never began. */
  readonly end: Promise<IsolatedEnd>
  /** Once the process is no more, and its pipe is closed. Never rejects. */
  readonly gone: Promise<void>
  readonly #work: ChildWork
  readonly #child: ChildProcess
  #words = ''
  readonly #said = redactedLines((text) => {
    process.stderr.write(text)
    this.#words = `${this.#words}${text}`.slice(-keptWords)
  })
  #begun = false
  /** Why it never began, where that is known better than by its exit. */
  #fault: string | undefined
  #killer: NodeJS.Timeout | undefined
  #resolve: (end: IsolatedEnd) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  /** @throws what `fork` throws at once, as where memory is short */
  constructor(work: ChildWork) {
    this.#work = work
    this.end = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#child = fork(work.program, [String(process.pid)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.gone = this.#live()
  }

  async #live(): Promise<void> {
    const { startWithin, context } = this.#work
    const exited = this.#exited()
    const closed = this.#closed()
    const late = setTimeout(() => {
      if (this.#begun) return
      this.#fault = `its handler did not begin within ${startWithin} ms`
      this.#child.kill('SIGKILL')
    }, startWithin)
    const onAbort = () => {
      this.#tell({ abort: String(context.signal.reason) })
      this.#killAfter(stopGrace)
    }
    context.signal.addEventListener('abort', onAbort, { once: true })
    this.#listen()
    const exit = await exited
    clearTimeout(late)
    clearTimeout(this.#killer)
    context.signal.removeEventListener('abort', onAbort)
    await Promise.race([closed, pause(lastWordsGrace)])
    this.#child.stderr?.destroy()
    this.#said.end()
    this.#conclude(exit)
  }

  #listen(): void {
    const { task, file, context, begins } = this.#work
    this.#child.stderr?.on('error', () => undefined)
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.#said.take(chunk))
    this.#child.on('message', (message: unknown) => {
      if (!isFromChild(message)) return
      if (message.kind === 'progress') {
        void context.progress(message.value).catch(() => undefined)
      } else if (message.kind === 'outcome') {
        const outcome = JSON.parse(message.outcome) as SettledOutcome
        this.#resolve({ kind: 'ended', outcome })
        this.#killAfter(closeGrace)
      } else if (!this.#begun) {
        this.#begun = true
        begins()
      }
    })
    this.#tell({ task, file, queue: context.task.queue })
  }

  /** What cannot be sent to it is told by its end. */
  #tell(word: ToChild): void {
    if (this.#child.connected) this.#child.send(word, () => undefined)
  }

  #killAfter(ms: number): void {
    this.#killer ??= setTimeout(() => this.#child.kill('SIGKILL'), ms)
  }

  /** A process that never came to be has no exit. */
  #exited(): Promise<Exit> {
    return new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const how = signal ? `signal ${signal}` : `exit code ${code}`
        resolve({ how, stopped: isStopSignal(signal) })
      })
      // Not once: a second one would end this process.
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return
        this.#fault ??= error.message
        resolve({ how: 'an error', stopped: false })
      })
    })
  }

  /** Nothing more can come from it, by its pipe or as a message. */
  #closed(): Promise<unknown> {
    return Promise.all(
      ['close', 'disconnect'].map(
        (event) => new Promise<void>((resolve) => this.#child.once(event, () => resolve())),
      ),
    )
  }

  #conclude({ how, stopped }: Exit): void {
    const said = this.#words.trim() === '' ? '' : `; its last words: ${this.#words.trim()}`
    const begun = this.#begun
    const told = begun
      ? `the process that ran it alone ended by ${how}`
      : (this.#fault ?? `it ended by ${how} before the handler began`)
    const words = `${told}${said}`
    if (stopped) this.#resolve({ kind: 'stopped', begun, words })
    else if (begun) this.#resolve({ kind: 'died', words })
    else this.#reject(new Error(words))
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
