import type { ErrorFamily } from '../core/errors.js'

/** The variable by which the supervisor tells a process to be the kernel itself. */
export const kernelVariable = 'REDISDISTRO_KERNEL'

/** What the kernel's process tells its supervisor. */
export type KernelMessage =
  | { readonly kind: 'ready' }
  /** It was asked to stop, by a signal of its own; an exit without this word is a crash. */
  | { readonly kind: 'stopping' }
  /** An error that nobody caught, of a task that was left from before as likely as of the boot. */
  | { readonly kind: 'crashed' }
  /** It could not boot; `family` is that of its error, where it has one. */
  | { readonly kind: 'refused'; readonly family: ErrorFamily | undefined }

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
