import fc from 'fast-check'

/** True in the long run before a release. */
export const longRun = process.env['REDISDISTRO_FAULTS'] === 'long'

// The suite's verdict is of the code, not of luck: new cases are for the long run to draw.
if (!longRun) fc.configureGlobal({ seed: 20_612 })

export { fc }

/**
 * How long a property is tried: for about so many ms in the short suite, and as often as it takes in
 * the long one. Whatever it came to by then counts.
 */
export const tried = (ms: number, longRuns = 100_000) =>
  longRun
    ? { numRuns: longRuns, interruptAfterTimeLimit: 120_000 }
    : { numRuns: 5000, interruptAfterTimeLimit: ms }
