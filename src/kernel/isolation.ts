import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LeasedTask, SettledOutcome } from '../core/broker.js'
import type { Isolate, IsolatedEnd } from '../worker/isolate.js'

export type ToChild =
  | { readonly task: LeasedTask; readonly file: string; readonly queue: string }
  | { readonly abort: string }

export type FromChild = { readonly outcome: string } | { readonly progress: unknown }

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
  return (task, context) => runInChild(fileURLToPath(child), { task, file }, context)
}

function runInChild(
  child: string,
  work: { readonly task: LeasedTask; readonly file: string },
  context: Parameters<Isolate>[1],
): Promise<IsolatedEnd> {
  const forked = fork(child, {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let words = ''
  let outcome: SettledOutcome | undefined
  forked.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk)
    words = `${words}${chunk}`.slice(-lastWords)
  })
  forked.on('message', (message: FromChild) => {
    if ('outcome' in message) outcome = JSON.parse(message.outcome) as SettledOutcome
    else void context.progress(message.progress).catch(() => undefined)
  })
  const onAbort = () => {
    if (forked.connected) forked.send({ abort: String(context.signal.reason) } satisfies ToChild)
    setTimeout(() => forked.kill('SIGKILL'), stopGrace).unref()
  }
  context.signal.addEventListener('abort', onAbort, { once: true })
  forked.send({ ...work, queue: context.task.queue } satisfies ToChild)
  return new Promise((resolve, reject) => {
    forked.once('error', reject)
    forked.once('close', (code, signal) => {
      context.signal.removeEventListener('abort', onAbort)
      const how = signal ? `signal ${signal}` : `exit code ${code}`
      const said = words.trim() === '' ? '' : `; its last words: ${words.trim()}`
      if (outcome) resolve({ kind: 'ended', outcome })
      else resolve({ kind: 'died', words: `the process that ran it alone ended by ${how}${said}` })
    })
  })
}
