import type {
  NewScheduleRun,
  PendingTick,
  ScheduleChange,
  ScheduleRun,
  ScheduleStore,
  TickClaim,
} from '../../core/schedule-store.js'
import { type Engine, runOnKeys } from '../arguments.js'
import { readAt } from '../wrong-type.js'
import { scheduleKeys } from './keys.js'
import { fieldsOfSchedule, readPending, readRuns, readSchedule } from './records.js'
import * as scripts from './scripts.js'

/** ms after which a claimed tick that nobody told of is taken up by whoever looks. */
const staleAfter = 5000

/** Schedules, and ticks left behind, that one look gives at most. */
const mostAtOnce = 20

/** An empty text stands for nothing in an argument. */
const orNothing = (ms: number | undefined): number | '' => ms ?? ''

function looking(engine: Engine): Pick<ScheduleStore, 'look' | 'find' | 'list' | 'history'> {
  const keys = scheduleKeys(engine.prefix)
  const found = async (ids: readonly string[]) => {
    if (ids.length === 0) return []
    const call = { script: scripts.findScript, named: {}, rest: ids }
    const answer = (await runOnKeys(engine, keys, call)) as string[]
    return ids.flatMap((_, i) => readSchedule(answer, i * fieldsOfSchedule) ?? [])
  }
  return {
    async look(types: readonly string[]) {
      const named = { stale: staleAfter, most: mostAtOnce }
      const call = { script: scripts.lookScript, named, rest: types }
      const answer = (await runOnKeys(engine, keys, call)) as string[]
      const [now, next = '', count] = answer
      const rest = 3 + Number(count) * fieldsOfSchedule
      const due = Array.from({ length: Number(count) }, (_, i) =>
        readSchedule(answer, 3 + i * fieldsOfSchedule),
      )
      const stale: PendingTick[] = []
      for (let i = rest; i < answer.length; i += 2) {
        const tick = readPending(answer[i + 1] ?? '')
        if (tick !== undefined) stale.push(tick)
      }
      return {
        now: Number(now),
        due: due.filter((each) => each !== undefined),
        next: next === '' ? undefined : Number(next),
        stale,
      }
    },
    async find(id: string) {
      return (await found([id]))[0]
    },
    async list() {
      const all = await readAt(keys.rules, engine.store.readHash(keys.rules))
      return await found(Object.keys(all).sort())
    },
    async history(id: string): Promise<ScheduleRun[]> {
      const call = { script: scripts.historyScript, named: { id } }
      return readRuns((await runOnKeys(engine, keys, call)) as string)
    },
  }
}

function changing(engine: Engine): Omit<ScheduleStore, 'look' | 'find' | 'list' | 'history'> {
  const keys = scheduleKeys(engine.prefix)
  return {
    async claim({ id, revision, due, next, ticks, passed }: TickClaim) {
      const last = ticks.at(-1)
      const named = {
        id,
        revision,
        expected: due,
        following: orNothing(next),
        last: last === undefined ? '' : `${last.tick} ${last.taskId}`,
        ticks: ticks.length,
      }
      const claimed = ticks.flatMap((tick) => [
        tick.taskId,
        `${tick.tick} ${tick.task} ${JSON.stringify(tick)}`,
      ])
      const rest = [...claimed, ...passed.map((run) => JSON.stringify(run))]
      const call = { script: scripts.claimScript, named, rest }
      return (await runOnKeys(engine, keys, call)) === '1'
    },
    async settle({ id, taskId }: PendingTick, run: NewScheduleRun, queue = '') {
      const named = { id, taskId, line: JSON.stringify(run), queue }
      await runOnKeys(engine, keys, { script: scripts.settleScript, named })
    },
    async note(id: string, run: NewScheduleRun) {
      const named = { id, line: JSON.stringify(run) }
      await runOnKeys(engine, keys, { script: scripts.noteScript, named })
    },
    async save({ id, revision, record, paused, due }: ScheduleChange) {
      const text = `${record.rule.task} ${JSON.stringify(record)}`
      const following = due === 'keep' ? 'keep' : orNothing(due)
      const named = { id, revision, record: text, paused: paused ? 1 : 0, following }
      return (await runOnKeys(engine, keys, { script: scripts.saveScript, named })) === '1'
    },
    async remove(id: string, revision: number) {
      const call = { script: scripts.removeScript, named: { id, revision } }
      return (await runOnKeys(engine, keys, call)) === '1'
    },
  }
}

/** Schedules in Redis, or in the in-process store: each method is one script. */
export const createScheduleStore = (engine: Engine): ScheduleStore => ({
  ...looking(engine),
  ...changing(engine),
})
