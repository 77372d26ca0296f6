import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../core/clock.js'
import { childMark, type Word } from './supervised.js'

/** Pauses before a restart, in ms: the first, and the longest. */
const firstPause = 1000
const longestPause = 30_000
/** A child that ran this long, in ms, is healthy: the pauses begin anew. */
const healthyAfter = 60_000
/** Signals closer together than this, in ms, are copies of one Ctrl-C. */
const copyWithin = 500

interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly wasReady: boolean
}

/**
 * Keeps a kernel running: forks it, hands signals on, and starts it anew when it dies after it had
 * been ready. A failed boot is not repeated. A second signal ends it at once. Resolves to the exit
 * code of the command.
 */
export async function supervise(args: readonly string[]): Promise<number> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  let child: ChildProcess | undefined
  let asked: { readonly at: number; readonly signal: NodeJS.Signals } | undefined
  let wakeUp: () => void = () => undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const now = systemClock.monotonic()
    if (asked === undefined) {
      asked = { at: now, signal }
      child?.kill(signal)
      wakeUp()
    } else if (now - asked.at >= copyWithin) {
      process.stderr.write('redisdistro: ended at once; what ran is run again by others\n')
      child?.kill('SIGKILL')
    }
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)

  let pause = firstPause
  for (;;) {
    const began = systemClock.monotonic()
    child = fork(main, args, { env: { ...process.env, [childMark]: '1' }, stdio: 'inherit' })
    const { code, signal, wasReady } = await endOf(child)
    if (asked) return signal === 'SIGKILL' ? codeOf(asked.signal) : (code ?? codeOf(signal))
    if (code === 0) return 0
    if (!wasReady) return code ?? codeOf(signal)
    if (systemClock.monotonic() - began >= healthyAfter) pause = firstPause
    const how = signal ? `signal ${signal}` : `exit code ${code}`
    process.stderr.write(`redisdistro: the process ended by ${how}; a new one starts in ${pause} ms\n`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause)
      wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    if (asked) return 0
    pause = Math.min(pause * 2, longestPause)
  }
}

const codeOf = (signal: NodeJS.Signals | null): number => (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1)

function endOf(child: ChildProcess): Promise<End> {
  let wasReady = false
  child.on('message', (word: Word) => {
    if (word === 'ready') wasReady = true
  })
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, wasReady }))
  })
}
