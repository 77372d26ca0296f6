/** A source of time; the only file of the product that reads the machine's clock. */
export interface Clock {
  /** Wall time in ms since the epoch. */
  now(): number
  /** Monotonic time in ms, for measuring how long something took. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** How long this process's event loop has been busy so far, in ms; not with waiting for something. */
export const loopBusy = (): number => performance.eventLoopUtilization().active

/** An instant in ms as ISO 8601 text in UTC. */
export const iso = (ms: number): string => new Date(ms).toISOString()
