import type { Partition } from './partition.js'

/** Keeps a process's leases alive and tells what it hears. */
export interface LeaseKeeper {
  hold(lease: HeldLease): void
  drop(worker: string): void
  close(): Promise<void>
}

export interface HeldLease {
  readonly partition: Partition
  readonly worker: string
  /** Called once, when the lease was found lost. */
  onLost(): void
  /** Called with the runs that are to be stopped, since their tasks were cancelled. */
  onStop(cancelled: readonly { readonly id: string; readonly fence: string }[]): void
}

export interface KeeperOptions {
  /** ms. */
  readonly lease: number
  /** ms that the event loop may stand still before the process is ended; 0 for never. */
  readonly maxBlocked: number
  log(message: string, fields: Record<string, unknown>): void
}
