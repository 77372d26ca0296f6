import { firstDue, nextDue } from '../client/schedule-due.js'
import { differences } from '../client/schedule-view.js'
import type { Broker } from '../core/broker.js'
import { isRedisDistroError } from '../core/errors.js'
import type { TaskRegistry } from '../core/registry.js'
import type { ScheduleRule } from '../core/schedule.js'
import type { ScheduleStore, StoredSchedule } from '../core/schedule-store.js'
import type { Log } from '../telemetry/log.js'
import type { ResolvedConfig } from './resolved-config.js'

interface ReconcileParts {
  readonly store: ScheduleStore
  /** The config's, by id. */
  readonly schedules: ReadonlyMap<string, ScheduleRule>
  readonly tasks: TaskRegistry
  /** Whose they are: other services' may lie in the same store. */
  readonly service: string
  readonly log: Log
  /** Redis's time in ms. */
  now(): Promise<number>
}

/** How often it is looked anew where another kernel was first. */
const tries = 5

/** Schedules that are looked at and changed side by side. */
const atOnce = 100

const same = (one: ScheduleRule, other: ScheduleRule) => differences(one, other).length === 0

/** Keeps what a person made of a schedule, and shows in what it is not the config's. */
function tellOfEdit({ id, rule, removed }: StoredSchedule, config: ScheduleRule, log: Log): void {
  if (removed) {
    log.warn('A schedule of the config was removed at run time, and stays so', { schedule: id })
  } else if (!same(rule, config)) {
    const differs = differences(rule, config)
    log.warn('A schedule was edited at run time, and stays so', { schedule: id, differs })
  }
}

/** The first of this id: it is added. */
async function add(
  { store, service, log }: ReconcileParts,
  id: string,
  { rule, now }: { readonly rule: ScheduleRule; readonly now: number },
): Promise<boolean> {
  const record = { rule, source: 'config', service, config: rule } as const
  const due = firstDue(rule, now)
  const saved = await store.save({ id, revision: 0, record, paused: false, due })
  if (saved) log.info('A schedule is added', { schedule: id, task: rule.task })
  return saved
}

/** One that is there: the config's, or another's that the config has by now too. */
async function update(
  { store, service, log }: ReconcileParts,
  stored: StoredSchedule,
  { rule, now }: { readonly rule: ScheduleRule; readonly now: number },
): Promise<boolean> {
  const { id, revision, due: seen, config, paused, removed, source } = stored
  const mine = stored.service === service && source === 'config'
  const known = config !== undefined && same(config, rule)
  if (known && mine) {
    tellOfEdit(stored, rule, log)
    return true
  }
  if (stored.service !== undefined && stored.service !== service) {
    const was = stored.service
    log.warn('A schedule of another service is taken over', { schedule: id, was, service })
  }
  const own = { source: 'config', service, config: rule } as const
  if (known || config === undefined) {
    // Made at run time, or unchanged: what is kept stays.
    tellOfEdit(stored, rule, log)
    const record = { ...own, rule: stored.rule, removed }
    return await store.save({ id, revision, seen, record, paused, due: seen })
  }
  const next = removed ? firstDue(rule, now) : nextDue(stored, rule, now)
  const due = paused ? undefined : next
  const change = { id, revision, seen, record: { ...own, rule }, paused, due, fresh: removed }
  if (!(await store.save(change))) return false
  const about = { schedule: id, changed: differences(stored.rule, rule) }
  const edited = removed || !same(stored.rule, config)
  if (!edited) log.info('A schedule changed in the config', about)
  else log.warn('A schedule changed in the config, which replaces an edit made at run time', about)
  return true
}

async function retire(parts: ReconcileParts, { id, revision }: StoredSchedule): Promise<boolean> {
  const removed = await parts.store.remove(id, revision)
  if (removed) parts.log.info('A schedule left the config, and is retired', { schedule: id })
  return removed
}

/** Ticks of a type that nobody knows wait for somebody who does. */
function warnOfStrangers({ tasks, log }: ReconcileParts, stored: readonly StoredSchedule[]): void {
  for (const { id, rule, source, removed } of stored) {
    if (source === 'config' || removed || tasks.has(rule.task)) continue
    const about = { schedule: id, task: rule.task }
    log.warn("A schedule's task type is not in the config; its ticks wait for who knows it", about)
  }
}

/** One page of the store's made those of the config. */
async function settlePage(
  parts: ReconcileParts,
  stored: readonly StoredSchedule[],
): Promise<boolean> {
  const { schedules, service } = parts
  warnOfStrangers(parts, stored)
  const now = await parts.now()
  const changes = stored.map((each) => {
    const rule = schedules.get(each.id)
    if (rule !== undefined) return update(parts, each, { rule, now })
    const left = each.source === 'config' && each.service === service
    return left ? retire(parts, each) : true
  })
  return (await Promise.all(changes)).every(Boolean)
}

async function settle(parts: ReconcileParts): Promise<boolean> {
  const { store, schedules } = parts
  const missing = new Map(schedules)
  let done = true
  let after: string | undefined
  do {
    const page = await store.page({ after, limit: atOnce })
    if (!(await settlePage(parts, page.schedules))) done = false
    for (const { id } of page.schedules) missing.delete(id)
    after = page.next
  } while (after !== undefined)
  const rest = [...missing]
  for (let i = 0; i < rest.length; i += atOnce) {
    const now = await parts.now()
    const some = rest.slice(i, i + atOnce)
    const added = await Promise.all(some.map(([id, rule]) => add(parts, id, { rule, now })))
    if (added.includes(false)) done = false
  }
  return done
}

/**
 * Makes the store's schedules those of the config: what is new is added, what changed is updated,
 * what left is retired. What a person made or edited at run time stays, and the log shows it. False where
 * Redis was away, or others changed them all the while.
 */
export async function reconcileSchedules(
  broker: Broker,
  config: Pick<ResolvedConfig, 'schedules' | 'tasks' | 'telemetry'>,
  log: Log,
): Promise<boolean> {
  const now = () => broker.now()
  const { schedules, tasks, telemetry } = config
  const { service } = telemetry
  const parts = { store: broker.schedules, schedules, tasks, service, log, now }
  try {
    for (let i = 0; i < tries; i++) if (await settle(parts)) return true
    return false
  } catch (error) {
    if (!isRedisDistroError(error) || error.family !== 'infrastructure') throw error
    const reason = error.message
    log.warn('Schedules could not be compared with the config; it is tried again', { reason })
    return false
  }
}
