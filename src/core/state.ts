/** The states of a task, and no others. A task's state is the set in Redis that holds it. */
export const states = [
  'scheduled',
  'waiting',
  'active',
  'retryable',
  'completed',
  'dead',
  'cancelled',
] as const

export type State = (typeof states)[number]

/** States in which a task has ended; only a person's requeue brings it back. */
export const endedStates = ['completed', 'dead', 'cancelled'] as const satisfies readonly State[]

export type EndedState = (typeof endedStates)[number]

export interface Transition {
  /** Where the move may start; `new` is a task that Redis does not hold yet. */
  readonly from: readonly (State | 'new')[]
  /** Where it may lead; `gone` is a task that Redis no longer holds. */
  readonly to: readonly (State | 'gone')[]
  readonly says: string
}

/**
 * Every move a task can make. The same word names its Lua fragment, its metric label and its line
 * in docs/state-machine.md.
 */
export const transitions = {
  enqueue: {
    from: ['new'],
    to: ['waiting', 'scheduled'],
    says: 'A client hands it in; with a due time it is scheduled.',
  },
  promote: {
    from: ['scheduled', 'retryable'],
    to: ['waiting'],
    says: 'Its time has come, or a person asked for it now.',
  },
  lease: { from: ['waiting'], to: ['active'], says: 'A worker takes it under its lease.' },
  complete: { from: ['active'], to: ['completed'], says: 'Its handler returned.' },
  retry: {
    from: ['active'],
    to: ['retryable'],
    says: 'Its handler failed and the policy allows another attempt.',
  },
  bury: { from: ['active'], to: ['dead'], says: 'It is given up on; it lies as a dead letter.' },
  release: {
    from: ['active'],
    to: ['waiting', 'scheduled'],
    says: 'It is given back unspent; one whose type or payload is unknown here is set aside.',
  },
  rescue: {
    from: ['active'],
    to: ['waiting', 'dead'],
    says: 'Its worker lost the lease; after too many losses it is a dead letter.',
  },
  cancel: {
    from: ['scheduled', 'waiting', 'retryable', 'active'],
    to: ['cancelled'],
    says: 'A person or program called it off; a running handler is told.',
  },
  expire: {
    from: ['scheduled', 'waiting', 'retryable'],
    to: ['dead'],
    says: 'It was not started within `expiresIn`.',
  },
  requeue: {
    from: ['dead', 'cancelled'],
    to: ['waiting'],
    says: 'A person sends it again, with all its attempts.',
  },
  prune: {
    from: ['completed', 'dead', 'cancelled'],
    to: ['gone'],
    says: 'Its retention is over, or it was erased.',
  },
} as const satisfies Record<string, Transition>

export type TransitionName = keyof typeof transitions

/** True where `state` has ended. */
export const isEnded = (state: State): state is EndedState =>
  (endedStates as readonly State[]).includes(state)
