// Writes docs/state-machine.md from the table of src/core/state.ts; `--check` only compares.
import { built, isMain, writeOrCheck } from './generated.mjs'

/**
 * A paragraph for each state: what it means, who ends it, what a person can do.
 * @type {Record<string, string>}
 */
const prose = {
  scheduled: `The task has a time of its own (\`runAt\` or \`delay\`) that lies ahead. It costs nothing
until then. Time is Redis's: a client or worker whose clock is wrong moves no task. When the time
has come it is promoted within a second and takes its place at the end of its priority level. A
person can promote it now or cancel it. A task whose type or payload its worker did not know is set
aside here too, unspent, for a second at first and thirty at most, so that another may know it.`,
  waiting: `The task is ready and stands in line. Urgent levels go first, and within a level the
first in is the first out. Pausing its queue keeps it here. What is given back unspent at
a shutdown, or rescued from a worker that is gone, returns to the place in line that it had before.`,
  active: `A worker has the task under its lease and runs its handler, or is about to. The lease is
the worker's, not the task's: it is renewed from a thread of its own, and when it is lost nothing
that the worker still says about the task counts. Each lease of a task has a greater \`fence\`. A
person's cancel ends the task at once and aborts the handler's signal.`,
  retryable: `The handler failed, timed out or asked for another attempt, and the retry policy allows
one. The task lies here until its backoff is over and is then promoted like a scheduled one. Its
earlier attempts and their errors can be read meanwhile. A lost lease or a shutdown is no attempt
and never leads here.`,
  completed: `The handler returned. The result is kept beside the task until its retention is over
(by age and by count), and a repeat with the same id finds it. Nothing starts it again.`,
  dead: `The task is given up on: its attempts are spent, its handler said that no attempt will help,
it expired before it started, no worker knew it, or it took its worker down too often. It lies as a
dead letter under its dead-letter key with the reason, until a person requeues or purges it or its
retention is over.`,
  cancelled: `A person or program called the task off before it ended. If its handler was running,
its signal was aborted and whatever it still returned was refused. It can be requeued.`,
}

/**
 * The page's text.
 * @param {{
 *   states: readonly string[],
 *   transitions: Record<string, { from: readonly string[], to: readonly string[], says: string }>,
 * }} table
 */
export function renderStateMachine({ states, transitions }) {
  const moves = Object.entries(transitions)
  const dot = (/** @type {string} */ end) => (end === 'new' || end === 'gone' ? '[*]' : end)
  const arrows = moves.flatMap(([name, { from, to }]) =>
    from.flatMap((a) => to.map((b) => `  ${dot(a)} --> ${dot(b)}: ${name}`)),
  )
  const rows = moves.map(
    ([name, { from, to, says }]) =>
      `| \`${name}\` | ${from.join(', ')} | ${to.join(', ')} | ${says} |`,
  )
  return `<!-- Written by scripts/state-machine.mjs from src/core/state.ts; do not edit. -->

# The states of a task

A task that was acknowledged is in exactly one state until it is gone, and every move is one atomic
script in Redis. The set that holds a task *is* its state: nothing is written twice, so nothing can
disagree. \`new\` is a task that Redis does not hold yet, \`gone\` one that it no longer holds.

\`\`\`mermaid
stateDiagram-v2
${arrows.join('\n')}
\`\`\`

## Transitions

The same word names the transition's Lua fragment in \`src/broker/lua/\`, its metric label and its
line here.

| transition | from | to | what happens |
| --- | --- | --- | --- |
${rows.join('\n')}

## States

${states.map((state) => `### ${state}\n\n${proseOf(state)}\n`).join('\n')}`
}

/** @param {string} state */
function proseOf(state) {
  const text = prose[state]
  if (text === undefined) throw new Error(`scripts/state-machine.mjs has no words for '${state}'`)
  return text
}

if (isMain(import.meta.url)) {
  writeOrCheck('docs/state-machine.md', renderStateMachine(await built('src/core/state.js')))
}
