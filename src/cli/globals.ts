import type { Command } from 'commander'

/** The options that all commands take. */
export interface Globals {
  /** A config file to take instead of searching. */
  readonly config?: string
  readonly json?: boolean
  readonly redisUrl?: string
}

/** The options of a command, those of the program included. */
export const optionsOf = <Own extends object>(command: Command): Globals & Own =>
  command.optsWithGlobals<Globals & Own>()

/** A parser of a number option. */
export function wholeNumber(least: number, most: number, refuse: (message: string) => Error) {
  return (text: string): number => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw refuse(`It must be a whole number from ${least} to ${most}.`)
  }
}
