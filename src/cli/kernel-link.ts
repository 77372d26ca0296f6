import type { ErrorCode } from '../core/errors.js'
import { isLife, type Lives, newLife } from '../core/life.js'

/**
 * The variable by which the supervisor tells a process to be the kernel itself: its life and those of
 * the kernels before it, of which the first one has none.
 */
export const kernelVariable = 'REDISDISTRO_KERNEL'

export const livesToText = ({ own, gone }: Lives): string => [own, ...gone].join(' ')

export function livesFromText(text: string): Lives {
  const [own = newLife(), ...gone] = text.split(' ').filter(isLife)
  return { own, gone }
}

/** What the kernel's process tells its supervisor. */
export type KernelMessage =
  | { readonly kind: 'ready' }
  /** It begins to lease: from here on the end of the process may be the doing of a task. */
  | { readonly kind: 'working' }
  /** It was asked to stop, by a signal of its own; an exit without this word is a crash. */
  | { readonly kind: 'stopping' }
  /** It could not boot; `code` is that of its error, where it has one. */
  | { readonly kind: 'refused'; readonly code: ErrorCode | undefined }

export const isKernelMessage = (value: unknown): value is KernelMessage =>
  typeof value === 'object' && value !== null && 'kind' in value

/** Signals that ask for a stop, with the exit code of who is ended at once by a second one. */
export const stopSignals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
export type StopSignal = keyof typeof stopSignals

/**
 * ms within which a second signal is taken for a copy of the first: Ctrl-C reaches the whole group
 * of processes, and npm and the supervisor hand it on besides.
 */
export const copyWindow = 500
