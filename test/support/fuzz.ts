/** True in the long run before a release. */
export const longRun = process.env['REDISDISTRO_FAULTS'] === 'long'

/**
 * How long a property is tried: for about so many ms in the short suite, and as often as it takes in
 * the long one. Whatever it came to by then counts.
 */
export const tried = (ms: number, longRuns = 100_000) =>
  longRun
    ? { numRuns: longRuns, interruptAfterTimeLimit: 120_000 }
    : { numRuns: 5000, interruptAfterTimeLimit: ms }
