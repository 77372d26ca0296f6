import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { tickId } from '../../src/core/schedule/tick-id.js'
import { tickAfter } from '../../src/core/schedule/ticks.js'
import type { Kernel } from '../../src/kernel/kernel.js'
import type { Running } from '../cli/bin.js'
import { until } from '../support/redis.js'
import { wrongClock } from './rig/clocks.js'
import { killBoth } from './rig/deaths.js'
import { experiment } from './rig/experiment.js'
import { type Fleet, makeFleet } from './rig/fleet.js'

interface Size {
  readonly kernels: number
  readonly seconds: number
  /** Kernels that are killed: at the same distance in time, or one after the other. */
  readonly kills: number
}

/** Minutes of the long run: `npm run faults -- --schedules 3`. */
const minutes = Number(process.env['REDISDISTRO_FAULTS_SCHEDULES'] || 2)

/** How far the kernels' clocks are wrong, in ms: each takes the next. */
const clocks = [0, 90_000, -3_600_000, 700]

const rules = {
  every1s: { every: '1s' },
  every2s: { every: '2s' },
  cron1s: { cron: '* * * * * *', tz: 'Europe/Rome' },
  cron2s: { cron: '*/2 * * * * *', tz: 'Australia/Lord_Howe' },
  spread: { every: '1s', jitter: '800ms' },
} as const
type Name = keyof typeof rules
const names = Object.keys(rules) as Name[]

/** Keeps the schedules; gives the first tick of each, in ms. */
async function keepAll(schedules: Kernel['schedules']): Promise<Map<Name, number>> {
  const firsts = new Map<Name, number>()
  for (const [n, name] of names.entries()) {
    const rule = { ...rules[name], task: 'note', payload: { n }, overlap: 'allow' }
    const { schedule } = await schedules.put(name, rule)
    firsts.set(name, Date.parse(schedule.nextRunAt ?? ''))
  }
  return firsts
}

/** The ids of all ticks from the first to the last, both of them ticks in ms. */
function idsBetween(name: Name, first: number, last: number): string[] {
  const ids: string[] = []
  const rule = { tz: 'UTC', ...rules[name] }
  for (let tick: number | undefined = first; tick !== undefined && tick <= last; ) {
    ids.push(tickId(name, tick))
    tick = tickAfter(rule, tick)
  }
  return ids
}

/** Every task of the store, by its schedule. */
async function enqueuedIds({ operator }: Fleet): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(names.map((name) => [name, []]))
  let cursor: string | undefined
  do {
    const page = await operator.tasks({ limit: 1000, cursor })
    for (const { id } of page.items) found.get(id.split(':')[0] ?? '')?.push(id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

/** Kills one after the other, supervisor and all, and starts another in its place. */
async function killAndStart(workers: Running[], begin: () => Promise<Running>, size: Size) {
  const pace = (size.seconds * 1000) / (size.kills + 1)
  const began = performance.now()
  let kills = 0
  while (kills < size.kills) {
    const left = began + pace * (kills + 1) - performance.now()
    await wait(Math.max(0, left))
    const doomed = workers.splice(Math.floor(Math.random() * workers.length), 1)
    await Promise.all(doomed.map(killBoth))
    kills += 1
    workers.push(await begin())
    if (performance.now() - began > size.seconds * 1000) break
  }
  await wait(Math.max(0, began + size.seconds * 1000 - performance.now()))
  return kills
}

experiment<Size>(
  {
    fault: 'schedules of one and two seconds, kernels with wrong clocks killed at random',
    short: { kernels: 2, seconds: 6, kills: 1 },
    long: { kernels: 10, seconds: minutes * 60, kills: minutes * 20 },
    timeout: (minutes + 10) * 60_000,
  },
  async (size, progress) => {
    const fleet = await makeFleet({ lease: '1s' })
    const wrong = await Promise.all(clocks.map(wrongClock))
    let begun = 0
    const begin = () => fleet.work({ env: wrong[begun++ % wrong.length]?.env ?? {} })
    const workers: Running[] = []
    for (let n = 0; n < size.kernels; n++) workers.push(await begin())
    progress('working')
    const firsts = await keepAll(fleet.schedules)
    const kills = await killAndStart(workers, begin, size)
    progress('the rest')
    const ends = await Promise.all(names.map((name) => fleet.schedules.pause(name)))
    const wanted = new Map(
      names.map((name, n) => {
        const last = Date.parse(ends[n]?.lastRunAt ?? '')
        return [name, idsBetween(name, firsts.get(name) ?? 0, last)]
      }),
    )
    const all = [...wanted.values()].flat()
    const ran = () => new Set(fleet.ledger.ends().map(({ id }) => id))
    const every = () => ran().size >= all.length && all.every((id) => ran().has(id))
    await until(every, { timeout: 60_000, describe: 'every tick to run' })
    await fleet.ended(all)
    const found = await enqueuedIds(fleet)
    for (const name of names) {
      expect([...(found.get(name) ?? [])].sort()).toEqual([...(wanted.get(name) ?? [])].sort())
    }
    // Ticks were enqueued up to the end, and not by one who woke up for the pause.
    expect(all.length).toBeGreaterThan(size.seconds * 3)
    const runs = new Map<string, number>()
    for (const { id } of fleet.ledger.ends()) runs.set(id, (runs.get(id) ?? 0) + 1)
    expect([...runs.keys()].sort()).toEqual([...all].sort())
    const twice = [...runs.values()].filter((count) => count > 1).length
    // A handler that ended as its process was killed before it could say so begins again.
    expect(twice).toBeLessThanOrEqual(kills * 10)
    return {
      acknowledged: all.length,
      lost: all.filter((id) => !runs.has(id)).length,
      twice,
      seen:
        `${size.kernels} kernels, ${kills} of them killed; each tick of ${names.length} schedules ` +
        `enqueued once: ${names.map((name) => `${name} ${wanted.get(name)?.length}`).join(', ')}`,
    }
  },
)
