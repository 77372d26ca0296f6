import { type State, transitions } from '../core/state.js'

/** What a person does to one task. */
export type Move = 'cancel' | 'requeue' | 'promote' | 'erase'

/** Where each move may start; erasing is a person's `prune`. */
export const starts: Readonly<Record<Move | 'edit', readonly State[]>> = {
  cancel: transitions.cancel.from,
  requeue: transitions.requeue.from,
  promote: transitions.promote.from,
  erase: transitions.prune.from,
  edit: [...transitions.requeue.from, ...transitions.promote.from],
}
