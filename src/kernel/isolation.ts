import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { LeasedTask, SettledOutcome } from '../core/broker.js'
import type { Isolate, IsolatedEnd } from '../worker/isolate.js'
import { Places } from './places.js'

export type ToChild =
  | { readonly task: LeasedTask; readonly file: string; readonly queue: string }
  | { readonly abort: string }

export type FromChild =
  /** The handler begins: from here on, the end of the process is the task's doing. */
  { readonly begins: true } | { readonly outcome: string } | { readonly progress: unknown }

/** What is kept of the child's last output, in characters. */
const lastWords = 2000
/** Between the word to stop and the end of the process, in ms. */
const stopGrace = 1000

/**
 * Runs suspect tasks alone in forked processes that load the same config file. undefined where there
 * is no file to load, or the program runs from its TypeScript source.
 */
export function isolation(file: string | undefined): Isolate | undefined {
  const child = new URL('./child.js', import.meta.url)
  if (file === undefined || !import.meta.url.endsWith('.js')) return undefined
  const program = fileURLToPath(child)
  return async (task, context, begins) => {
    await places.take(context.signal)
    try {
      return await runInChild({ program, task, file, begins }, context)
    } finally {
      places.leave()
    }
  }
}

/** As many processes at once as there are processors, over all queues: after a crash there are many suspects. */
const places = new Places(availableParallelism())

interface Work {
  readonly program: string
  readonly task: LeasedTask
  readonly file: string
  begins(): void
}

function runInChild(work: Work, context: Parameters<Isolate>[1]): Promise<IsolatedEnd> {
  const { program, task, file } = work
  const forked = fork(program, {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let words = ''
  let outcome: SettledOutcome | undefined
  let begun = false
  forked.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk)
    words = `${words}${chunk}`.slice(-lastWords)
  })
  forked.on('message', (message: FromChild) => {
    if ('begins' in message) {
      begun = true
      work.begins()
    } else if ('outcome' in message) outcome = JSON.parse(message.outcome) as SettledOutcome
    else void context.progress(message.progress).catch(() => undefined)
  })
  const onAbort = () => {
    if (forked.connected) forked.send({ abort: String(context.signal.reason) } satisfies ToChild)
    setTimeout(() => forked.kill('SIGKILL'), stopGrace).unref()
  }
  context.signal.addEventListener('abort', onAbort, { once: true })
  // What cannot be sent to it is told by its end.
  forked.send({ task, file, queue: context.task.queue } satisfies ToChild, () => undefined)
  return new Promise((resolve, reject) => {
    forked.once('error', reject)
    forked.once('close', (code, signal) => {
      context.signal.removeEventListener('abort', onAbort)
      const how = signal ? `signal ${signal}` : `exit code ${code}`
      const said = words.trim() === '' ? '' : `; its last words: ${words.trim()}`
      if (outcome) return resolve({ kind: 'ended', outcome })
      if (!begun) return reject(new Error(`it ended by ${how} before the handler began${said}`))
      resolve({ kind: 'died', words: `the process that ran it alone ended by ${how}${said}` })
    })
  })
}
