import { once } from 'node:events'
import type { Command } from 'commander'
import type { EventFilter } from '../client/contract.js'
import type { EventFeed, EventMessage } from '../client/event-feed.js'
import type { State } from '../core/state.js'
import { exitCodes } from './failure.js'
import { type Globals, optionsOf } from './globals.js'
import { jsonOf, paint, remark, stateStyle } from './output.js'
import { withKernel } from './project.js'

type Options = Globals & EventFilter

/** ms that one wait for events lasts; nothing is shown of its end. */
const patience = 60_000

const styleOf = (state: State | 'gone') => (state === 'gone' ? 'gray' : stateStyle(state))

function lineOf(message: EventMessage): string {
  if ('gap' in message) return paint('yellow', `gap  ${message.gap.queue}: ${message.gap.reason}`)
  const { id, type, queue, transition, state, at, attempt } = message.event
  const run = attempt === undefined ? '' : ` #${attempt}`
  const style = styleOf(state)
  const word = `${transition.padEnd(8)}  ${`${state}${run}`.padEnd(13)}`
  const shown = style === undefined ? word : paint(style, word)
  return `${at.slice(11, 23)}  ${shown}  ${id}  ${type || '-'}  ${queue}`
}

const jsonLine = (message: EventMessage): string =>
  jsonOf('gap' in message ? { gap: message.gap } : message.event)

async function print(feed: EventFeed, show: (message: EventMessage) => string): Promise<void> {
  for (;;) {
    const messages = await feed.next(patience)
    if (messages.length === 0 && feed.closed) return
    const taken = process.stdout.write(messages.map((one) => `${show(one)}\n`).join(''))
    if (!taken) await once(process.stdout, 'drain').catch(() => undefined)
  }
}

async function tail({ queue, type, task, ...globals }: Options): Promise<void> {
  await withKernel(globals, async ({ operator }) => {
    const feed = await operator.events({ queue, type, task })
    const close = () => feed.close()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, close)
    // Whoever read this has gone.
    process.stdout.once('error', close)
    if (!globals.json && process.stdout.isTTY) remark('Listening; Ctrl-C ends it.')
    await print(feed, globals.json ? jsonLine : lineOf)
    if (!feed.slow.aborted) return
    remark('Too much at once: some events were not read.')
    process.exitCode = exitCodes.failed
  })
}

/** `events` */
export function addEvents(program: Command): void {
  program
    .command('events')
    .description('show what happens to tasks, as it happens; with --json one document a line')
    .option('--queue <queue>', 'only those of this queue')
    .option('--type <type>', 'only those of this type')
    .option('--task <id>', 'only those of this task')
    .action((_, command: Command) => tail(optionsOf(command)))
}
