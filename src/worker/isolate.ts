import type { LeasedTask, SettledOutcome } from '../core/broker.js'
import type { TaskContext } from '../core/definition.js'

/** How a run in a process of its own ended. */
export type IsolatedEnd =
  | { readonly kind: 'ended'; readonly outcome: SettledOutcome }
  /** The process died while this one lives; `words` say how, with its last output. */
  | { readonly kind: 'died'; readonly words: string }
  /** A signal that asks to stop ended it, as one to the whole group does; `begun` if its handler had. */
  | { readonly kind: 'stopped'; readonly begun: boolean; readonly words: string }

/**
 * Runs one task alone in a forked process, since two workers were lost while they held it. On abort
 * the process is ended, which then counts as no death. Rejects where the handler was never begun.
 */
export type Isolate = (
  task: LeasedTask,
  context: Pick<TaskContext, 'signal' | 'progress' | 'task'>,
  /** Called when the handler begins, which may be long after: there are few such processes at once. */
  begins: () => void,
) => Promise<IsolatedEnd>
