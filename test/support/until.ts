import { readFileSync } from 'node:fs'

export interface UntilOptions {
  /** In ms; 10 s if left out. */
  readonly timeout?: number
  /** What is waited for, for the message of the error. */
  readonly describe?: string
}

/**
 * Looks at a condition every 10 ms or so until it gives something true, and gives that; for
 * waiting on other processes. Throws past the deadline, with the condition's last error.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, describe = 'the condition' }: UntilOptions = {},
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const end = performance.now() + timeout
  let failure: unknown
  do {
    try {
      const seen = await condition()
      if (seen) return seen as Exclude<T, false | undefined | null | 0 | ''>
      failure = undefined
    } catch (error) {
      failure = error
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  } while (performance.now() < end)
  throw new Error(`waited ${timeout} ms in vain for ${describe}`, { cause: failure })
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  if (process.platform !== 'linux') return true
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
