import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueOfTick, tickId } from '../../../src/core/schedule/tick-id.js'
import { scheduleIdSchema, scheduleSchema } from '../../../src/core/schedule.js'

const good = { task: 'note', cron: '0 8 * * *' }

const refusalOf = (rule: object): string[] => {
  const { error } = scheduleSchema.safeParse(rule)
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
}

describe('a rule', () => {
  test('has its defaults, and keeps durations as they were written', () => {
    expect(
      scheduleSchema.parse({ task: 'note', every: '1h30m', options: { timeout: '5m' } }),
    ).toEqual({
      task: 'note',
      every: '1h30m',
      options: { timeout: '5m' },
      overlap: 'skip',
      misfire: 'once',
      misfireLimit: 100,
    })
  })

  test.each<[object, RegExp]>([
    [{ task: 'note' }, /^cron: is wanted, or every: write cron: '0 8 \* \* \*'/],
    [{ ...good, every: '5m' }, /^every: cron and every are both given/],
    [{ task: 'note', every: '999ms' }, /^every: must be at least 1s/],
    [{ task: 'note', every: 'often' }, /^every: "often" is not a duration; write one such as/],
    [{ ...good, cron: '* * *' }, /^cron: "\* \* \*" is not a cron expression; write five fields/],
    [{ ...good, cron: '@daily' }, /^cron: "@daily" is not a cron expression; write five fields/],
    [{ ...good, cron: '60 * * * *' }, /^cron: .*minute: 60\); write five fields/],
    [{ ...good, cron: '0 0 1 1 * 7 2020' }, /^cron: .* is not a cron expression/],
    [{ ...good, cron: '0 0 30 2 *' }, /^cron: "0 0 30 2 \*" never comes/],
    [{ ...good, tz: 'Mars' }, /^tz: must be an IANA zone such as Europe\/Rome/],
    [{ ...good, startsAt: 'tomorrow' }, /^startsAt: must be an ISO time with its offset/],
    [{ ...good, endsAt: '2026-01-01T00:00:00' }, /^endsAt: must be an ISO time with its offset/],
    [
      { ...good, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' },
      /^endsAt: must not lie before startsAt/,
    ],
    [{ ...good, limit: 0 }, /^limit: must be a whole number from 1/],
    [{ ...good, misfireLimit: 1001 }, /^misfireLimit: must be a whole number from 1 to 1000/],
    [{ ...good, overlap: 'maybe' }, /^overlap: must be skip or allow/],
    [{ task: 'note', every: '1m', jitter: '2m' }, /^jitter: must be no longer than every/],
    [{ ...good, options: { taskId: 'a' } }, /Unrecognized key: "taskId"/],
    [{ ...good, when: 'now' }, /Unrecognized key: "when"/],
  ])('refuses %j, and says what to write', (rule, words) => {
    expect(refusalOf(rule).join('\n')).toMatch(words)
  })

  test('has an id that leaves room for the time of a tick', () => {
    for (const id of ['', '..', 'a b', 'ü', 'a'.repeat(81)]) {
      expect(scheduleIdSchema.safeParse(id).success).toBe(false)
    }
    expect(scheduleIdSchema.safeParse('daily.digest:eu-1').success).toBe(true)
  })
})

describe("a tick's task", () => {
  test('has the schedule and the tick in its id, and milliseconds only where there are any', () => {
    expect(tickId('digest', Date.UTC(2026, 10, 24, 8))).toBe('digest:2026-11-24T08:00:00Z')
    expect(tickId('digest', 1500)).toBe('digest:1970-01-01T00:00:01.500Z')
  })

  test('is due within the jitter, the same wherever it is asked', () => {
    const tick = fc.integer({ min: 0, max: 4e12 })
    fc.assert(
      fc.property(tick, fc.string({ maxLength: 20 }), (at, id) => {
        const due = dueOfTick(id, at, { jitter: '10s' })
        expect(due).toBeGreaterThanOrEqual(at)
        expect(due).toBeLessThanOrEqual(at + 10_000)
        expect(dueOfTick(id, at, { jitter: '10s' })).toBe(due)
      }),
    )
  })

  test('is spread over the whole jitter', () => {
    const shares = Array.from({ length: 1000 }, (_, i) => {
      return dueOfTick('digest', i * 60_000, { jitter: '10s' }) - i * 60_000
    })
    const thirds = [0, 1, 2].map((n) => shares.filter((ms) => Math.floor(ms / 3334) === n).length)
    for (const count of thirds) expect(count).toBeGreaterThan(250)
    expect(dueOfTick('digest', 5, {})).toBe(5)
  })
})
