import type {
  CycleCall,
  CycleReply,
  Enqueued,
  LeasedTask,
  NewTask,
  Partition,
  Settlement,
} from '../core/broker.js'
import { RedisDistroError } from '../core/errors.js'
import type { State } from '../core/state.js'
import { type Engine, runScript, type ScriptEngine } from './arguments.js'
import { encodeTask } from './blob.js'
import {
  cycleScript,
  enqueueCheckedScript,
  enqueueScript,
  shortCycleScript,
} from './movement-scripts.js'
import { checkedArguments, decodeLease, isPlain, leavesNothing } from './record.js'
import { giveBackScript } from './scripts.js'
import { arrangeSettled } from './settlements.js'

/** No record holds one: JSON escapes it, and no name may have it. */
const recordEnd = '\x1e'

async function enqueuePlain(engine: ScriptEngine, partition: Partition, tasks: readonly NewTask[]) {
  let records = ''
  for (const task of tasks) records += `${task.id}\n${encodeTask(task)}${recordEnd}`
  const named = { amount: tasks.length, records }
  await runScript(engine, { script: enqueueScript, partition, named })
  return tasks.map(
    ({ id }): Enqueued => ({ id, state: 'waiting', duplicate: false, differs: false }),
  )
}

async function enqueueChecked(
  engine: ScriptEngine,
  partition: Partition,
  tasks: readonly NewTask[],
) {
  const rest = tasks.flatMap(checkedArguments)
  const call = { script: enqueueCheckedScript, partition, named: {}, rest }
  const answer = (await runScript(engine, call)) as string[]
  return tasks.map((_, i): Enqueued => {
    const [word, id = '', state, dueAt = ''] = answer.slice(1 + i * 4, 5 + i * 4)
    return {
      id,
      state: state as State,
      duplicate: word !== 'new',
      differs: word === 'differs',
      ...(dueAt === '' ? {} : { dueAt: Number(dueAt) }),
    }
  })
}

/** Stores new tasks, in the order given; those that need looking up go by the checked script. */
export async function enqueueTasks(
  engine: ScriptEngine,
  partition: Partition,
  call: { readonly tasks: readonly NewTask[]; readonly repeat: boolean },
): Promise<Enqueued[]> {
  const { tasks, repeat } = call
  if (repeat || !tasks.some(isPlain)) return enqueueChecked(engine, partition, tasks)
  if (tasks.every(isPlain)) return enqueuePlain(engine, partition, tasks)
  const plain = await enqueuePlain(engine, partition, tasks.filter(isPlain))
  const others = tasks.filter((task) => !isPlain(task))
  const checked = await enqueueChecked(engine, partition, others).catch((error: unknown) => {
    // Whatever became of these, the plain ones are written: 'nothing was' would be false.
    const words = error instanceof Error ? error.message : String(error)
    throw new RedisDistroError('store_unknown', `part of the call was written: ${words}`, {
      cause: error,
    })
  })
  let p = 0
  let c = 0
  return tasks.map((task) => (isPlain(task) ? plain[p++] : checked[c++]) as Enqueued)
}

/** Before the lists in a cycle's answer. */
const fixedAnswers = 9

function readCycle(answer: readonly string[]): CycleReply {
  if (answer[0] === 'lost') return { lost: true }
  const [, now, fence = '', nextDue, paused, refusedCount, withHistory, , limited] = answer
  const first = fixedAnswers + Number(refusedCount)
  const fields = withHistory === '1' ? 3 : 2
  const lease = { fence, leasedAt: Math.floor(Number(fence) / 1000) }
  const leased: LeasedTask[] = []
  for (let i = first; i + 1 < answer.length; i += fields) {
    const id = answer[i] as string
    const blob = answer[i + 1] as string
    const past = fields === 3 ? (answer[i + 2] ?? '') : ''
    leased.push(decodeLease(lease, { id, blob, past }))
  }
  return {
    lost: false,
    now: Number(now),
    leased,
    refused: answer.slice(fixedAnswers, first),
    // A due time that a person wrote may be none.
    ...(nextDue && Number.isFinite(Number(nextDue)) ? { nextDue: Number(nextDue) } : {}),
    paused: paused === '1',
    ...(limited === '1' ? { limited: true } : {}),
  }
}

/** Settlements of the long form in one script: more of them beside a lease hold up everyone. */
const mostLong = 100

async function cycleOnce(
  engine: Engine,
  partition: Partition,
  call: CycleCall & { readonly odd?: boolean },
) {
  const settled = arrangeSettled(call)
  const answer = (await runScript(engine, {
    script: call.odd || settled.specialCount > 0 ? cycleScript : shortCycleScript,
    partition,
    named: {
      worker: call.worker,
      wanted: call.wanted,
      promoting: call.promote ? 1 : 0,
      keepCount: call.retention.count,
      ran: settled.ran,
      waited: settled.waited,
      plain: settled.plainCount,
      special: settled.specialCount,
    },
    rest: settled.plain.concat(settled.special),
  })) as string[]
  const read = { reply: readCycle(answer), leftOdd: answer[7] === '1' }
  // The client library's command outlives its answer by many cycles, and would keep all these texts.
  answer.length = 0
  return read
}

/**
 * One cycle of the pump: settle, promote, lease. A second script where the short one met an odd task,
 * and several before it where much failed at once.
 */
export async function runCycle(
  engine: Engine,
  partition: Partition,
  call: CycleCall,
): Promise<CycleReply> {
  if (call.settled.length > mostLong) {
    const long = call.settled.filter((settlement) => !leavesNothing(settlement))
    if (long.length > mostLong) return settleFirst(engine, partition, { ...call, long })
  }
  const { reply, leftOdd } = await cycleOnce(engine, partition, call)
  if (reply.lost || !leftOdd) return reply
  const wanted = call.wanted - reply.leased.length
  const next = await cycleOnce(engine, partition, { ...call, settled: [], wanted, odd: true })
  if (next.reply.lost) return next.reply
  return {
    ...next.reply,
    leased: [...reply.leased, ...next.reply.leased],
    refused: reply.refused,
  }
}

/** In parts, and the rest of the cycle behind them. A lease that is lost on the way stays lost. */
async function settleFirst(
  engine: Engine,
  partition: Partition,
  call: CycleCall & { readonly long: readonly Settlement[] },
): Promise<CycleReply> {
  const refused: string[] = []
  for (let i = 0; i < call.long.length; i += mostLong) {
    const settled = call.long.slice(i, i + mostLong)
    const part = { ...call, settled, wanted: 0, promote: false }
    const { reply } = await cycleOnce(engine, partition, part)
    if (reply.lost) return reply
    refused.push(...reply.refused)
  }
  const settled = call.settled.filter(leavesNothing)
  const reply = await runCycle(engine, partition, { ...call, settled })
  return reply.lost ? reply : { ...reply, refused: [...refused, ...reply.refused] }
}

/** Tasks go back to their places by id and fence alone. */
export async function giveBackTasks(
  engine: Engine,
  partition: Partition,
  call: { readonly worker: string; readonly tasks: readonly { id: string; fence: string }[] },
): Promise<void> {
  for (let i = 0; i < call.tasks.length; i += 500) {
    await runScript(engine, {
      script: giveBackScript,
      partition,
      named: { worker: call.worker },
      rest: call.tasks.slice(i, i + 500).flatMap(({ id, fence }) => [id, fence]),
    })
  }
}
