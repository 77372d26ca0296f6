import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Isolate } from '../worker/isolate.js'
import { ChildRun } from './child-run.js'
import { Places } from './places.js'

export interface IsolationParts {
  /** The path of the program that runs one task; `child.js` beside this file if left out. */
  readonly program?: string | undefined
  /** ms from the fork until the handler must have begun. */
  readonly startWithin?: number
}

/** Config, plugins and their setup take seconds at most; what hangs there would hang for ever. */
const longestStart = 30_000

/** As many processes at once as there are processors, over all queues: after a crash there are many suspects. */
const places = new Places(availableParallelism())

/** undefined where the program runs from its TypeScript source. */
const besideThis = (): string | undefined =>
  import.meta.url.endsWith('.js')
    ? fileURLToPath(new URL('./child.js', import.meta.url))
    : undefined

/**
 * Runs suspect tasks alone in forked processes that load the same config file. undefined where there
 * is no file to load, or no program that could be forked. A place is left when its process is gone,
 * whatever still holds its output.
 */
export function isolation(
  file: string | undefined,
  { program = besideThis(), startWithin = longestStart }: IsolationParts = {},
): Isolate | undefined {
  if (file === undefined || program === undefined) return undefined
  return async (task, context, begins) => {
    await places.take(context.signal)
    let run: ChildRun
    try {
      context.signal.throwIfAborted()
      run = new ChildRun({ program, file, startWithin, task, context, begins })
    } catch (error) {
      places.leave()
      throw error
    }
    void run.gone.then(() => places.leave())
    return run.end
  }
}
