import { setTimeout as pause } from 'node:timers/promises'
import type { SettledOutcome } from '../core/broker.js'
import type { TaskLog } from '../core/definition.js'
import { RedisDistroError } from '../core/errors.js'
import { toTaskError } from '../core/outcome.js'
import { suspectAfter } from '../core/retry.js'
import type { Isolate } from './isolate.js'
import type { Run } from './run.js'
import { wordsOf } from './settle-apart.js'

/** Losses of any kind that bury; a process whose handler never began is one of them. */
const maxLosses = 20
/** Before a task whose process could not be started goes back, in ms: longer with each time. */
const firstRest = 1000
const longestRest = 10_000

export interface AloneParts {
  readonly isolate: Isolate
  /** Deaths that bury. */
  readonly maxCrashes: number
  readonly log: TaskLog
  /** Aborted when the worker starts nothing any more. */
  readonly closing: AbortSignal
  begins(): void
}

/** Runs a suspect task in a process of its own, and says what it comes to. */
export async function runAlone(run: Run, parts: AloneParts): Promise<SettledOutcome> {
  const { isolate, log, begins, maxCrashes, closing } = parts
  log.warn('Two leases were lost with this task; it runs alone in its own process')
  try {
    const end = await isolate(run.leased, run, begins)
    if (end.kind === 'ended') return end.outcome
    if (end.kind === 'stopped') {
      // Whoever stops everything says nothing of the task.
      if (closing.aborted) return { name: 'release' }
      if (!end.begun) return notStarted(run, parts, end.words)
    }
    const error = toTaskError(new RedisDistroError('crashed', end.words))
    return { name: 'crash', maxDeaths: maxCrashes, error }
  } catch (error) {
    return notStarted(run, parts, error)
  }
}

/**
 * That its handler never began says little of the task, and must not go on for ever. Its slot rests,
 * or it would be back at once.
 */
async function notStarted(run: Run, parts: AloneParts, error: unknown): Promise<SettledOutcome> {
  if (run.over || run.endsWithWorker) return { name: 'release' }
  const reason = wordsOf(error)
  const times = run.leased.losses + 1
  const words = 'A task that is to run alone could not be started in its own process'
  parts.log.warn(words, { reason, losses: times, most: maxLosses })
  if (times < maxLosses) {
    const rest = Math.min(longestRest, firstRest * (times - suspectAfter))
    const signal = AbortSignal.any([parts.closing, run.signal])
    await pause(rest, undefined, { signal, ref: false }).catch(() => undefined)
  }
  const lost = new RedisDistroError('lost', `no process of its own could run it: ${reason}`)
  return { name: 'lose', maxLosses, error: toTaskError(lost) }
}
