import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A wrong wall clock for processes that are started with `env`. */
export interface WrongClock {
  readonly env: Readonly<Record<string, string>>
  /** Puts it wrong by so many ms, of processes that run already too. */
  set(ahead: number): void
}

const preload = new URL('clock.mjs', import.meta.url).href

/** Wrong by `ahead` ms: a Node process hears it of its own Date, nobody else. */
export async function wrongClock(ahead: number): Promise<WrongClock> {
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-clock-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'ahead')
  const set = (ms: number) => {
    // Whole at each moment, for a process may look at any.
    writeFileSync(`${path}.new`, `${ms}`)
    renameSync(`${path}.new`, path)
  }
  set(ahead)
  return { env: { FAULTS_CLOCK: path, NODE_OPTIONS: `--import ${preload}` }, set }
}

const libraries = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib64/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
]

/** libfaketime, where the machine has it. */
export const faketime = libraries.find((path) => existsSync(path))

/** The same by libfaketime: the whole process with all its threads is told the wrong time. */
export const fakedTime = (library: string, ahead: number) => ({
  LD_PRELOAD: library,
  FAKETIME: `${ahead < 0 ? '-' : '+'}${Math.abs(ahead) / 1000}s`,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
})

/** ms of the machine's monotonic clock, which all its processes share; the ledger's `at`. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
