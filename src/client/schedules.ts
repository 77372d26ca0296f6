import type { PluginClient } from '../core/enqueuer.js'
import { type Issue, RedisDistroError } from '../core/errors.js'
import { ticksAfter } from '../core/schedule/ticks.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { ScheduleStore, StoredSchedule } from '../core/schedule-store.js'
import type { Directory, Page } from './contract.js'
import { readNameCursor, writeNameCursor } from './cursor.js'
import { newId } from './ids.js'
import { errorOf } from './problem.js'
import { keptRule, readRule, strangersIn, unknownSchedule } from './schedule-check.js'
import { firstDue, nextDue } from './schedule-due.js'
import { type Schedule, shownSchedule } from './schedule-view.js'

export type { Schedule } from './schedule-view.js'

/** Which page of a list is meant: 50 of it where `limit`, 1 to 1000, is left out. */
export interface ScheduleFilter {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/**
 * An operator's hand over the schedules of one store. Unknown ids throw `unknown_schedule`; a rule that
 * is wrong `bad_option`, or `bad_payload` where only its payload is, with `issues`.
 */
export interface SchedulesContract {
  /** A page by id, without their histories. */
  list(filter?: ScheduleFilter): Promise<Page<Schedule>>
  /** With its history. */
  get(id: string): Promise<Schedule>
  /** Makes or replaces one; what it was enqueuing stays. `rule` as {@link ScheduleInput}. */
  put(
    id: string,
    rule: unknown,
  ): Promise<{ readonly created: boolean; readonly schedule: Schedule }>
  /** Takes it away with its history; tasks that it enqueued stay. */
  remove(id: string): Promise<void>
  /** Enqueues its task now; this is no tick, and changes none. */
  run(id: string): Promise<{ readonly taskId: string }>
  /** No ticks until it is resumed. */
  pause(id: string): Promise<Schedule>
  /** From its next tick on; those that passed meanwhile are not made up for. */
  resume(id: string): Promise<Schedule>
  /** ISO times of the next `n` ticks, 1 to 1000; fewer where it ends. */
  preview(id: string, n?: number): Promise<{ readonly items: readonly string[] }>
  /** The same of a rule in hand. */
  previewRule(rule: unknown, n?: number): Promise<{ readonly items: readonly string[] }>
}

export interface SchedulesParts {
  readonly store: ScheduleStore
  readonly client: PluginClient
  readonly directory: Directory
  /** Redis's time in ms. */
  now(): Promise<number>
  /** The zone of a rule that names none. */
  readonly tz: string
}

/** How often a change is tried anew that another came before. */
const tries = 10

const mostShown = 1000
const defaultLimit = 50
/** Looks at the store for one page at most: where schedules are large it is short rather than slow. */
const mostLooks = 5

/** A code for what is wrong with a rule: of its payload alone, or of the rule. */
function refuse(issues: readonly Issue[]): void {
  if (issues.length === 0) return
  const ofPayload = issues.every(({ path }) => path.split('.')[0] === 'payload')
  throw errorOf([{ code: ofPayload ? 'bad_payload' : 'bad_option', issues }])
}

function counted(path: string, n: number): number {
  if (Number.isInteger(n) && n >= 1 && n <= mostShown) return n
  const message = `must be a whole number from 1 to ${mostShown}`
  throw errorOf([{ code: 'bad_option', issues: [{ path, message }] }])
}

/** Lists, changes and runs the schedules of one store. */
export class Schedules implements SchedulesContract {
  readonly #parts: SchedulesParts

  constructor(parts: SchedulesParts) {
    this.#parts = parts
  }

  async list({ cursor, limit = defaultLimit }: ScheduleFilter = {}): Promise<Page<Schedule>> {
    const most = counted('limit', limit)
    const items: Schedule[] = []
    let after = cursor === undefined ? undefined : readNameCursor(cursor)
    for (let looks = 0; looks < mostLooks && items.length <= most; looks++) {
      // One more than are shown, so that a cursor does not lead to nothing.
      const page = await this.#parts.store.page({ after, limit: most + 1 - items.length })
      const there = page.schedules.filter(({ removed }) => removed !== true)
      items.push(...there.map((each) => shownSchedule(each)))
      after = page.next
      if (after === undefined) break
    }
    const shown = items.slice(0, most)
    const last = items.length > most ? shown.at(-1)?.id : after
    return last === undefined ? { items: shown } : { items: shown, cursor: writeNameCursor(last) }
  }

  async get(id: string): Promise<Schedule> {
    const found = await this.#find(id)
    return shownSchedule(found, await this.#parts.store.history(id))
  }

  async put(id: string, given: unknown) {
    const { store, directory, tz } = this.#parts
    const rule = keptRule(readRule(id, given), tz)
    refuse(await strangersIn(rule, directory))
    return await this.#change(id, async (before) => {
      const now = await this.#parts.now()
      const created = before === undefined || before.removed === true
      const record = before === undefined ? { source: 'runtime' as const } : recordOf(before)
      const paused = !created && before.paused
      const due = created ? firstDue(rule, now) : nextDue(before, rule, now)
      const saved = await store.save({
        id,
        revision: before?.revision ?? 0,
        seen: before?.due,
        record: { ...record, rule, removed: undefined },
        paused,
        due: paused ? undefined : due,
        fresh: created,
      })
      return saved && { created, schedule: await this.#shown(id) }
    })
  }

  async remove(id: string): Promise<void> {
    const { store } = this.#parts
    await this.#change(id, async (before) => {
      if (before === undefined || before.removed) throw unknownSchedule(id)
      const { revision, config, due: seen } = before
      if (config === undefined) return await store.remove(id, revision)
      // The config would bring it back at the next start.
      const record = { ...recordOf(before), removed: true }
      const gone = { paused: false, due: undefined, fresh: true }
      return await store.save({ id, revision, seen, record, ...gone })
    })
  }

  async run(id: string): Promise<{ readonly taskId: string }> {
    const { store, client } = this.#parts
    const { rule } = await this.#find(id)
    const taskId = `${id}:run:${newId()}`
    await client.enqueue(rule.task, rule.payload, { ...rule.options, taskId })
    const tick = new Date(await this.#parts.now()).toISOString()
    // The task is there; that the history does not say so is no failure.
    const noted = store.note(id, { tick, taskId, outcome: 'enqueued', reason: 'run now' })
    await noted.catch(() => undefined)
    return { taskId }
  }

  pause(id: string): Promise<Schedule> {
    return this.#setPaused(id, true)
  }

  resume(id: string): Promise<Schedule> {
    return this.#setPaused(id, false)
  }

  async preview(id: string, n = 10) {
    const { rule, runs } = await this.#find(id)
    return await this.#ticks(rule, counted('n', n), runs)
  }

  async previewRule(given: unknown, n = 10) {
    const rule = keptRule(readRule('preview', given), this.#parts.tz)
    return await this.#ticks(rule, counted('n', n), 0)
  }

  async #ticks(rule: ScheduleRule, n: number, runs: number) {
    const left = rule.limit === undefined ? n : Math.min(n, rule.limit - runs)
    const now = await this.#parts.now()
    const ticks = left > 0 ? ticksAfter(rule, now, left) : []
    return { items: ticks.map((tick) => new Date(tick).toISOString()) }
  }

  async #find(id: string): Promise<StoredSchedule> {
    const found = await this.#parts.store.find(id)
    if (found === undefined || found.removed) throw unknownSchedule(id)
    return found
  }

  async #shown(id: string): Promise<Schedule> {
    return shownSchedule(await this.#find(id))
  }

  #setPaused(id: string, paused: boolean): Promise<Schedule> {
    return this.#change(id, async (before) => {
      if (before === undefined || before.removed) throw unknownSchedule(id)
      if (before.paused === paused) return shownSchedule(before)
      const { revision, rule, due: seen } = before
      const due = paused ? undefined : firstDue(rule, await this.#parts.now(), before)
      const change = { id, revision, seen, record: recordOf(before), paused, due }
      return (await this.#parts.store.save(change)) && (await this.#shown(id))
    })
  }

  /** Tries a change until no other comes between what it saw and what it says. */
  async #change<Result>(
    id: string,
    change: (before: StoredSchedule | undefined) => Promise<Result | false>,
  ): Promise<Result> {
    for (let i = 0; i < tries; i++) {
      const result = await change(await this.#parts.store.find(id))
      if (result !== false) return result
    }
    throw new RedisDistroError('store_away', `schedule '${id}' changes all the time; try it again`)
  }
}

function recordOf({ rule, source, service, config, removed }: StoredSchedule) {
  return { rule, source, service, config, removed }
}
