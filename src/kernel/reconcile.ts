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
  const { id, revision, config, paused, removed, source } = stored
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
    return await store.save({ id, revision, record, paused, due: 'keep' })
  }
  const due = paused ? undefined : nextDue(stored, rule, now)
  if (!(await store.save({ id, revision, record: { ...own, rule }, paused, due }))) return false
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

async function settle(parts: ReconcileParts): Promise<boolean> {
  const { store, schedules, service } = parts
  const stored = await store.list()
  warnOfStrangers(parts, stored)
  const left = stored.filter(
    (each) => each.source === 'config' && each.service === service && !schedules.has(each.id),
  )
  if (schedules.size + left.length === 0) return true
  const now = await parts.now()
  const byId = new Map(stored.map((each) => [each.id, each]))
  const changes = [...schedules].map(([id, rule]) => {
    const before = byId.get(id)
    return before === undefined
      ? add(parts, id, { rule, now })
      : update(parts, before, { rule, now })
  })
  const done = await Promise.all([...changes, ...left.map((each) => retire(parts, each))])
  return done.every(Boolean)
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
