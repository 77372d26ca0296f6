import type { KeyName } from './keys.js'

/** The sets that a task's state is held by. */
export const sets = [
  'waiting',
  'scheduled',
  'retryable',
  'active',
  'completed',
  'dead',
  'cancelled',
] as const satisfies readonly KeyName[]

/** What moves are told by, where somebody listens. */
export const toldKeys = ['listen', 'events'] as const satisfies readonly KeyName[]

/** What an end of a task may touch beside them. */
export const endKeys = [
  'tasks',
  'attempts',
  'progress',
  'results',
  'own',
  'ownUntil',
  'unique',
  'uniqueUntil',
  'expiring',
  'deadLetters',
] as const satisfies readonly KeyName[]
