import { appendFileSync } from 'node:fs'
import { test } from 'vitest'

/** The long run is before a release: `npm run faults`. */
const long = process.env['REDISDISTRO_FAULTS'] === 'long'
/** Where the long run reads what came out. */
const report = process.env['REDISDISTRO_FAULTS_REPORT']

/** A line of the table in docs/guarantees.md; what does not apply is left out. */
export interface Finding {
  readonly acknowledged?: number
  readonly lost?: number
  readonly twice?: number
  /** Runs that began again, and why they may. */
  readonly again?: string
  /** ms from the fault's end to the first task after it. */
  readonly recovery?: number
  /** ms of the lease that the workers had. */
  readonly lease?: number
  /** What else was counted, in words. */
  readonly seen?: string
}

export interface Experiment<Size> {
  /** A row's name in the table; one word to the file's order. */
  readonly fault: string
  /** Left out: only the long run makes it. */
  readonly short?: Size
  /** Left out: the short run's size. */
  readonly long?: Size
  /** ms at most in the long run; ten minutes if left out. The short one has two minutes. */
  readonly timeout?: number
}

const write = (line: object) => {
  if (report !== undefined) appendFileSync(report, `${JSON.stringify(line)}\n`)
}

/**
 * A test in two sizes: the short one is part of the suite, the long one reports its finding for the
 * table. The experiment itself asserts what must hold.
 */
export function experiment<Size>(
  about: Experiment<Size>,
  run: (size: Size, progress: (words: string) => void) => Promise<Finding>,
): void {
  const { fault, timeout = 600_000 } = about
  const size = long ? (about.long ?? about.short) : about.short
  if (size === undefined) return
  test(fault, { timeout: long ? timeout : 120_000 }, async () => {
    const began = performance.now()
    const progress = (words: string) => write({ fault, progress: words })
    progress('begins')
    const finding = await run(size, progress)
    write({ fault, finding, seconds: (performance.now() - began) / 1000 })
  })
}
