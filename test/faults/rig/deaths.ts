import type { Running } from '../../cli/bin.js'
import { isAlive, until } from '../../support/until.js'
import type { Ledger, LedgerLine } from './ledger.js'

/** ms of the machine's monotonic clock, by which lines of the ledger tell when they were written. */
export const machineNow = () => Number(process.hrtime.bigint() / 1000n) / 1000

/** The pid of the kernel that a fleet's process runs now. */
export function kernelOf(worker: Running): number {
  const pid = worker.kernels().at(-1)
  if (pid === undefined) throw new Error(`no kernel was ready:\n${worker.output()}`)
  return pid
}

/** Kills a worker's kernel; its supervisor lives, and starts another. Gives the pid. */
export function killKernel(worker: Running): number {
  const pid = kernelOf(worker)
  process.kill(pid, 'SIGKILL')
  return pid
}

/** Kills a worker's kernel and the supervisor with it, as the end of a machine does. Gives the pid. */
export async function killBoth(worker: Running): Promise<number> {
  // The supervisor first, which must see nothing; it has no time to ask the kernel to stop.
  worker.child.kill('SIGSTOP')
  const pid = killKernel(worker)
  worker.child.kill('SIGKILL')
  await until(() => !isAlive(pid), { describe: `kernel ${pid} to be gone` })
  return pid
}

/** Starts that were not the last one of their task. */
export function startedAgain(ledger: Ledger): LedgerLine[] {
  const starts = ledger.starts()
  const last = new Map(starts.map((line) => [line.n, line]))
  return starts.filter((line) => last.get(line.n) !== line)
}

export interface Recovery {
  /** ms until the last of what was lost for the first time had begun again. */
  readonly recovery: number
  /** How many were lost more than once, and so run alone: their processes must start first. */
  readonly suspects: number
  /** ms until the last of those had begun again; 0 where there was none. */
  readonly alone: number
}

/**
 * How long it took from a process's end (by pid, when it was), or from when there was someone to go on,
 * until what it was running had begun again.
 */
export function recoveryOf(ledger: Ledger, gone: ReadonlyMap<number, number>): Recovery {
  const starts = new Map<number, LedgerLine[]>()
  const seen = { recovery: 0, suspects: 0, alone: 0 }
  for (const line of ledger.starts()) {
    const before = starts.get(line.n) ?? []
    starts.set(line.n, [...before, line])
    const at = gone.get(before.at(-1)?.pid ?? 0)
    if (at === undefined) continue
    const ms = line.at - at
    if (before.length === 1) seen.recovery = Math.max(seen.recovery, ms)
    else seen.alone = Math.max(seen.alone, ms)
    if (before.length === 2) seen.suspects += 1
  }
  return seen
}
