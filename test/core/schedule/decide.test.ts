import { describe, expect, test } from 'vitest'
import { decideTicks } from '../../../src/core/schedule/decide.js'
import type { ScheduleRule } from '../../../src/core/schedule.js'

const due = Date.parse('2026-01-01T00:00:00Z')
const minute = 60_000

const decide = (parts: Partial<ScheduleRule>, now: number, runs = 0) => {
  const rule: ScheduleRule = {
    task: 'note',
    payload: {},
    tz: 'UTC',
    every: '1m',
    overlap: 'skip',
    misfire: 'once',
    misfireLimit: 100,
    ...parts,
  }
  const { ticks, dropped, next } = decideTicks({ rule, due, now, runs })
  return {
    ticks: ticks.map(({ tick }) => (tick - due) / minute),
    dropped,
    next: next && (next - due) / minute,
  }
}

const inTime = { ticks: [0], dropped: undefined, next: 1 }

test('a tick in time is enqueued, whatever becomes of missed ones', () => {
  for (const misfire of ['once', 'skip', 'backfill'] as const) {
    expect(decide({ misfire }, due)).toEqual(inTime)
    expect(decide({ misfire }, due + 59_000)).toEqual(inTime)
  }
})

test('ticks within the grace of a minute are all enqueued', () => {
  for (const misfire of ['once', 'skip', 'backfill'] as const) {
    expect(decide({ every: '20s', misfire }, due + 45_000).ticks).toHaveLength(3)
  }
})

describe('of ticks that passed while nothing ran', () => {
  const now = due + 10 * minute + 30_000

  test('once makes the latest stand for all', () => {
    expect(decide({}, now)).toEqual({
      ticks: [10],
      dropped: { count: 10, exact: true, last: due + 9 * minute },
      next: 11,
    })
    // One alone that is late is made up for, too.
    const day = { cron: '0 0 * * *' } as const
    expect(decide({ every: undefined, ...day }, due + 8 * 60 * minute).ticks).toEqual([0])
  })

  test('skip leaves out those past the grace', () => {
    expect(decide({ misfire: 'skip' }, now)).toMatchObject({ ticks: [10], dropped: { count: 10 } })
    expect(decide({ misfire: 'skip', every: '1h' }, now)).toEqual({
      ticks: [],
      dropped: { count: 1, exact: true, last: due },
      next: 60,
    })
  })

  test('backfill makes each, and at most the limit of those that were missed', () => {
    expect(decide({ misfire: 'backfill' }, now)).toEqual({
      ticks: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      dropped: undefined,
      next: 11,
    })
    expect(decide({ misfire: 'backfill', misfireLimit: 3 }, now)).toMatchObject({
      ticks: [7, 8, 9, 10],
      dropped: { count: 7, exact: true },
    })
  })

  test('what is too much for one claim follows in the next', () => {
    const { ticks, next } = decide({ misfire: 'backfill', misfireLimit: 1000 }, due + 80 * minute)
    expect(ticks).toHaveLength(50)
    expect(next).toBe(50)
  })

  test('large payloads are claimed a few at a time, and one at least', () => {
    const of = (letters: number) =>
      decide({ misfire: 'backfill', payload: 'x'.repeat(letters) }, due + 80 * minute).ticks.length
    expect(of(1024 * 1024)).toBe(3)
    expect(of(9 * 1024 * 1024)).toBe(1)
  })
})

test('a limit counts ticks that were enqueued; then there is no next', () => {
  expect(decide({ limit: 3 }, due, 1)).toEqual(inTime)
  expect(decide({ limit: 3 }, due, 2)).toEqual({ ...inTime, next: undefined })
  expect(decide({ limit: 3 }, due, 3)).toMatchObject({ ticks: [], next: undefined })
  const many = { misfire: 'backfill', limit: 5 } as const
  expect(decide(many, due + 9 * minute, 2)).toMatchObject({ ticks: [0, 1, 2], next: undefined })
})
