import { randomBytes } from 'node:crypto'

/** A process that works, among all that ever did: 24 hexadecimal digits, part of its leases' names. */
export type Life = string

/** Which process this is, and which are known to be no more, since their supervisor saw them end. */
export interface Lives {
  readonly own: Life
  readonly gone: readonly Life[]
}

/** An empty one would be part of every lease's name. */
export const isLife = (word: string): boolean => /^[0-9a-f]{24}$/.test(word)

/** A life that no other process has. */
export const newLife = (): Life => randomBytes(12).toString('hex')
