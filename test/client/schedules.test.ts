import { expect, onTestFinished, test } from 'vitest'
import { Schedules } from '../../src/client/schedules.js'
import type { ScheduleStore } from '../../src/core/schedule-store.js'
import { scheduler } from '../../src/services/scheduler.js'
import { createCounters } from '../../src/telemetry/metrics.js'
import { lineLog } from '../worker/stage.js'
import { RedisStage } from './redis-stage.js'

const rule = { task: 'email', payload: { to: 'a@example.com' }, every: '1m', overlap: 'allow' }
const minute = 60_000

async function staged() {
  const stage = new RedisStage()
  await stage.open()
  onTestFinished(() => stage.close())
  const { directory, client, broker } = stage
  const kernel = scheduler({
    store: broker.schedules,
    client,
    types: ['email'],
    queueOf: () => undefined,
    accepts: async () => true,
    mismatchGrace: minute,
    log: lineLog(),
    counters: createCounters(),
  })
  const over = (store: ScheduleStore) =>
    new Schedules({ store, client, directory, now: () => broker.now(), tz: 'UTC' })
  const schedules = over(broker.schedules)
  /** Schedules between whose first look and whose change a tick comes. */
  const overtaken = () => {
    let first = true
    return over({
      ...broker.schedules,
      find: async (id) => {
        const found = await broker.schedules.find(id)
        if (first) {
          first = false
          stage.now += minute
          await kernel.tick()
        }
        return found
      },
    })
  }
  const ticks = async () => {
    const { history = [] } = await schedules.get('a')
    return history.map(({ tick }) => tick.slice(11, 19)).reverse()
  }
  return { stage, schedules, overtaken, kernel, ticks }
}

test('an edit while its tick is claimed neither repeats that tick nor loses the next', async () => {
  const { stage, schedules, overtaken, kernel, ticks } = await staged()
  await schedules.put('a', rule)
  const { schedule } = await overtaken().put('a', { ...rule, every: '30s' })
  expect(schedule).toMatchObject({ nextRunAt: '2026-01-01T12:01:30.000Z', runs: 1 })
  await kernel.tick()
  stage.now += minute / 2
  await kernel.tick()
  expect(await ticks()).toEqual(['12:01:00', '12:01:30'])
})

test('a limit that is raised while the last tick is claimed goes on', async () => {
  const { schedules, overtaken } = await staged()
  await schedules.put('a', { ...rule, limit: 1 })
  const { schedule } = await overtaken().put('a', { ...rule, limit: 2 })
  expect(schedule).toMatchObject({
    state: 'active',
    nextRunAt: '2026-01-01T12:02:00.000Z',
    runs: 1,
  })
})

test('a limit that is lowered while the tick that reaches it is claimed has ended', async () => {
  const { schedules, overtaken } = await staged()
  await schedules.put('a', { ...rule, limit: 5 })
  const { schedule } = await overtaken().put('a', { ...rule, limit: 1 })
  expect(schedule).toMatchObject({ state: 'ended', runs: 1 })
})

test('a pause while a tick is claimed holds', async () => {
  const { schedules, overtaken } = await staged()
  await schedules.put('a', rule)
  expect(await overtaken().pause('a')).toMatchObject({ state: 'paused', runs: 1 })
})

test('a tick that is due already stays where it is a tick of the edited rule too', async () => {
  const { stage, schedules, kernel, ticks } = await staged()
  await schedules.put('a', rule)
  stage.now += minute
  await schedules.put('a', { ...rule, every: '30s' })
  await kernel.tick()
  expect(await ticks()).toEqual(['12:01:00'])
  stage.now += minute / 2
  await schedules.put('a', { ...rule, every: undefined, cron: '45 * * * * *' })
  await kernel.tick()
  expect(await ticks()).toEqual(['12:01:00'])
  expect((await schedules.get('a')).nextRunAt).toBe('2026-01-01T12:01:45.000Z')
})

test("an edit after Redis's clock went back repeats no tick", async () => {
  const { stage, schedules, kernel } = await staged()
  await schedules.put('a', rule)
  stage.now += minute
  await kernel.tick()
  stage.now -= 2 * minute
  const { schedule } = await schedules.put('a', { ...rule, every: '30s' })
  expect(schedule.nextRunAt).toBe('2026-01-01T12:01:30.000Z')
  await schedules.pause('a')
  expect((await schedules.resume('a')).nextRunAt).toBe('2026-01-01T12:01:30.000Z')
})

test('a page has as many as were asked for, and a cursor where there are more', async () => {
  const { schedules } = await staged()
  const ids = Array.from({ length: 60 }, (_, i) => `s${String(i).padStart(2, '0')}`)
  for (const id of ids) await schedules.put(id, rule)
  const idsOf = ({ items }: Awaited<ReturnType<typeof schedules.list>>) => items.map(({ id }) => id)
  const first = await schedules.list()
  expect(idsOf(first)).toEqual(ids.slice(0, 50))
  const second = await schedules.list({ cursor: first.cursor, limit: 5 })
  expect(idsOf(second)).toEqual(ids.slice(50, 55))
  await schedules.remove('s54')
  const third = await schedules.list({ cursor: second.cursor, limit: 5 })
  expect(idsOf(third)).toEqual(ids.slice(55))
  expect(third.cursor).toBeUndefined()
  expect((await schedules.list({ limit: 1000 })).items).toHaveLength(59)
})

test('a page of large schedules is short, and the next goes on behind it', async () => {
  const { schedules, stage } = await staged()
  const large = { ...rule, tz: 'UTC', payload: 'x'.repeat(5 * 1024 * 1024) } as never
  const record = { rule: large, source: 'runtime' } as const
  for (let i = 0; i < 7; i++) {
    const change = { id: `s${i}`, revision: 0, record, paused: true, due: undefined }
    await stage.broker.schedules.save(change)
  }
  const first = await schedules.list()
  expect(first.items.map(({ id }) => id)).toEqual(['s0', 's1', 's2', 's3', 's4'])
  const second = await schedules.list({ cursor: first.cursor })
  expect(second).toMatchObject({ items: [{ id: 's5' }, { id: 's6' }] })
  expect(second.cursor).toBeUndefined()
})

test('a cursor or a limit that no list has is refused', async () => {
  const { schedules } = await staged()
  for (const cursor of ['x', '', Buffer.from('["a b"]').toString('base64url')]) {
    await expect(schedules.list({ cursor })).rejects.toMatchObject({
      code: 'bad_option',
      issues: [{ path: 'cursor' }],
    })
  }
  for (const limit of [0, 1001, 1.5, Number.NaN]) {
    await expect(schedules.list({ limit })).rejects.toMatchObject({
      code: 'bad_option',
      issues: [{ path: 'limit' }],
    })
  }
})
