import type {
  LookPlace,
  NewScheduleRun,
  PendingTick,
  ScheduleChange,
  SchedulePageCall,
  ScheduleRun,
  ScheduleStore,
  TickClaim,
} from '../../core/schedule-store.js'
import { type Engine, runOnKeys } from '../arguments.js'
import { scheduleKeys } from './keys.js'
import { readPage } from './listing.js'
import {
  type BrokenSchedule,
  brokenOf,
  fieldsOfSchedule,
  readPending,
  readRuns,
  readSchedule,
} from './records.js'
import * as scripts from './scripts.js'

/** ms after which a claimed tick that nobody told of is taken up by whoever looks. */
const staleAfter = 5000

/** Schedules, and ticks left behind, that one look gives at most. */
const mostAtOnce = 20

/** An empty text stands for nothing in an argument. */
const orNothing = (ms: number | undefined): number | '' => ms ?? ''

/** Texts that a look gives before what it found. */
const fieldsOfLook = 6

/** Ticks left behind. One that cannot be read is dropped: its schedule would wait for it for ever. */
async function readLeft(engine: Engine, answer: readonly string[]): Promise<PendingTick[]> {
  const ticks: PendingTick[] = []
  for (let i = 0; i < answer.length; i += 2) {
    const [taskId = '', snapshot = ''] = answer.slice(i, i + 2)
    const tick = readPending(snapshot)
    const dropped = { id: '', taskId, line: '', queue: '' }
    if (tick !== undefined) ticks.push(tick)
    else {
      const call = { script: scripts.settleScript, named: dropped }
      await runOnKeys(engine, scheduleKeys(engine.prefix), call)
    }
  }
  return ticks
}

function looking(engine: Engine): Pick<ScheduleStore, 'look' | 'find' | 'page' | 'history'> {
  const keys = scheduleKeys(engine.prefix)
  return {
    async look(types: readonly string[], from: LookPlace = { due: 0, stale: 0 }) {
      const places = { fromDue: from.due, fromStale: from.stale }
      const named = { stale: staleAfter, most: mostAtOnce, ...places }
      const call = { script: scripts.lookScript, named, rest: types }
      const answer = (await runOnKeys(engine, keys, call)) as string[]
      const [now, next = '', count, passedDue, passedStale, more] = answer
      const given = Array.from({ length: Number(count) }, (_, i) =>
        readSchedule(answer, fieldsOfLook + i * fieldsOfSchedule),
      )
      const due = given.filter((each) => each !== undefined)
      const left = answer.slice(fieldsOfLook + given.length * fieldsOfSchedule)
      const ofDue = from.due + Number(passedDue) + given.length - due.length
      const rest = { due: ofDue, stale: from.stale + Number(passedStale) }
      return {
        now: Number(now),
        due,
        next: next === '' ? undefined : Number(next),
        stale: await readLeft(engine, left),
        rest: more === '1' ? rest : undefined,
      }
    },
    async find(id: string) {
      const call = { script: scripts.findScript, named: { id } }
      return readSchedule((await runOnKeys(engine, keys, call)) as string[], 0)
    },
    page: (call: SchedulePageCall) => readPage(engine, call),
    async history(id: string): Promise<ScheduleRun[]> {
      const call = { script: scripts.historyScript, named: { id } }
      return readRuns((await runOnKeys(engine, keys, call)) as string)
    },
  }
}

/** A record that cannot be read, as a change of it wants it; undefined where there is none. */
async function readBroken(engine: Engine, id: string): Promise<BrokenSchedule | undefined> {
  const call = { script: scripts.findScript, named: { id } }
  const answer = (await runOnKeys(engine, scheduleKeys(engine.prefix), call)) as string[]
  return readSchedule(answer, 0) === undefined ? brokenOf(answer) : undefined
}

function changing(engine: Engine): Omit<ScheduleStore, 'look' | 'find' | 'page' | 'history'> {
  const keys = scheduleKeys(engine.prefix)
  const saved = async ({ id, revision, seen, record, paused, due, fresh }: ScheduleChange) => {
    const named = {
      id,
      revision,
      seen: orNothing(seen),
      record: `${record.rule.task} ${JSON.stringify(record)}`,
      paused: paused ? 1 : 0,
      following: orNothing(due),
      fresh: fresh ? 1 : 0,
    }
    return (await runOnKeys(engine, keys, { script: scripts.saveScript, named })) === '1'
  }
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
    async save(change: ScheduleChange) {
      if (await saved(change)) return true
      if (change.revision !== 0) return false
      const broken = await readBroken(engine, change.id)
      return broken !== undefined && (await saved({ ...change, ...broken, fresh: true }))
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
