import type { Edit, Moved, Partition } from '../core/broker.js'
import type { State } from '../core/state.js'
import { type Engine, runScript } from './arguments.js'
import type { KeyName } from './keys.js'
import type { Script } from './script.js'
import { editScript } from './scripts.js'

/** Runs a script that moves ids one by one, and reads what became of each. */
export async function moveTasks(
  engine: Engine,
  partition: Partition,
  call: {
    readonly script: Script<'now', KeyName> | Script<'now' | 'diedBy', KeyName>
    readonly ids: readonly string[]
    readonly diedBy?: number | undefined
  },
): Promise<Moved[]> {
  if (call.ids.length === 0) return []
  const { script, ids, diedBy = '' } = call
  const words = await runScript(engine, {
    script: script as Script<'now' | 'diedBy', KeyName>,
    partition,
    named: { diedBy },
    rest: ids,
  })
  return (words as string[]).map(readMoved)
}

function readMoved(word: string): Moved {
  const [what, state, holder = ''] = word.split(' ') as [string, State, string?]
  if (what === 'moved') return { ok: true, from: state }
  if (what === 'held') return { ok: false, reason: 'unique_held', state, holder }
  if (what === 'refused') return { ok: false, reason: 'wrong_state', state }
  return { ok: false, reason: 'unknown_task' }
}

/** Another payload for one task. */
export async function editTask(engine: Engine, partition: Partition, edit: Edit): Promise<Moved> {
  const { id, type, payload, prints, run } = edit
  const [word = ''] = (await runScript(engine, {
    script: editScript,
    partition,
    named: {
      type_: type,
      payload: JSON.stringify(payload) ?? '',
      printBefore: prints.before,
      printAfter: prints.after,
      running: run ? 1 : 0,
    },
    rest: [id],
  })) as string[]
  return readMoved(word)
}
