import type { LeasedTask } from '../core/broker.js'

/** What the kernel tells the process that runs one task alone. */
export type ToChild =
  | { readonly task: LeasedTask; readonly file: string; readonly queue: string }
  | { readonly abort: string }

/** What asks a whole group of processes to stop: a service's end, Ctrl-C, a closed terminal. */
export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

export const isStopSignal = (signal: NodeJS.Signals | null): boolean =>
  stopSignals.some((known) => known === signal)

export type FromChild =
  /** The handler begins: from here on, the end of the process is the task's doing. */
  | { readonly kind: 'begins' }
  /** A SettledOutcome as JSON. */
  | { readonly kind: 'outcome'; readonly outcome: string }
  | { readonly kind: 'progress'; readonly value: unknown }

/** A plugin may send words of its own to a parent that it takes for another. */
export const isFromChild = (message: unknown): message is FromChild =>
  typeof message === 'object' && message !== null && 'kind' in message
