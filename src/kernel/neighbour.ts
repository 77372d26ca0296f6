import { readFile } from 'node:fs/promises'

/** A process as its file tells of it. */
export interface Neighbour {
  readonly pid: number
  /** '' where the system does not say it. */
  readonly start: string
  /** ms. */
  readonly lease: number
}

/** Undefined for a file that tells of none. */
export async function readNeighbour(path: string): Promise<Neighbour | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const [, pid, start = '', lease] = /^(\d{1,10}) (\d*) (\d+)\n$/.exec(text) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), start, lease: Number(lease) }
}

/** Whether there is a process of this number; whatever is not certain is taken for life. */
export function isThere({ pid }: Neighbour): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Not one that has ended and that nobody has waited for, nor another one under the same number. */
export async function isStill({ pid, start }: Neighbour): Promise<boolean> {
  const stat = start === '' ? undefined : await statOf(pid)
  return !stat || (!/[ZX]/.test(stat.state) && stat.start === start)
}

/** When a process started, in ticks since boot; '' where the system does not say. */
export const startOf = async (pid: number): Promise<string> => (await statOf(pid))?.start ?? ''

async function statOf(pid: number): Promise<{ state: string; start: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name before, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields[0], fields[19]]
  return state && start ? { state, start } : undefined
}
