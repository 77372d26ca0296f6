import { describe, expect, test } from 'vitest'
import { clockChange } from '../../src/core/run-at/clock-change.js'
import { isTimeZone, resolveRunAt } from '../../src/core/run-at.js'
import { fc } from '../support/fuzz.js'
import { GOLDEN } from './run-at/golden.js'
import { LORD_HOWE, type Phrase, ROME, SAO_PAULO } from './run-at/phrase.js'
import { CHANGES, FORMS, ZONES } from './run-at/phrases.js'
import { PAST, REFUSALS, REFUSED_AT } from './run-at/refusals.js'

const { tz, now } = REFUSED_AT
const MINUTE = 60_000

function read(text: string, zone: string, from: string) {
  return resolveRunAt({ runAt: text, tz: zone, now: Date.parse(from) })
}

function iso(at: string): string {
  return new Date(at).toISOString()
}

function outcome([text, zone, from]: Phrase): string {
  const result = read(text, zone, from)
  if (result?.ok) return `${result.kind} ${new Date(result.at).toISOString()}`
  return result?.reason ?? 'nothing'
}

describe('text', () => {
  test.each(FORMS)('%s (%s, now %s) is %s', (...phrase) => {
    expect(outcome(phrase)).toBe(`text ${iso(phrase[3])}`)
  })

  test.each(ZONES)('is read in its zone: %s (%s, now %s) is %s', (...phrase) => {
    expect(outcome(phrase)).toBe(`text ${iso(phrase[3])}`)
  })

  test.each(CHANGES)('over a change of clocks: %s (%s, now %s) is %s', (...phrase) => {
    expect(outcome(phrase)).toBe(`text ${iso(phrase[3])}`)
  })

  test.each(GOLDEN)('%s (%s, now %s) is %s', (...phrase) => {
    expect(outcome(phrase)).toBe(`text ${iso(phrase[3])}`)
  })

  test.each(REFUSALS.map(([text, says]) => [text.slice(0, 40), says, text] as const))(
    'refuses %j, saying: %s',
    (_, says, text) => {
      const result = resolveRunAt({ runAt: text, tz, now })
      expect(result).toMatchObject({ ok: false, path: 'runAt' })
      expect(result?.ok === false && result.reason).toContain(says)
      expect(result?.ok === false && result.reason.length).toBeLessThan(400)
    },
  )

  test.each(PAST)('refuses %j at %s as %s, and says how to mean %s', (text, from, day, next) => {
    const refusal = read(text, 'Europe/Rome', from)
    expect(refusal).toMatchObject({ ok: false, path: 'runAt' })
    const reason = refusal?.ok === false ? refusal.reason : ''
    expect(reason).toContain(`read as ${day}, which is past`)
    expect(reason).toContain(`write the year if the next is meant (${next})`)
    expect(read(next, 'Europe/Rome', from)).toMatchObject({ ok: true, kind: 'text' })
  })

  test('a date without its year is never taken to be more than half a year away', () => {
    const instant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })
    const day = fc.integer({ min: 0, max: 365 })
    fc.assert(
      fc.property(day, instant, (n, from) => {
        const date = new Date(Date.UTC(2028, 0, 1 + n)).toUTCString().slice(5, 11)
        const result = resolveRunAt({ runAt: `${date} noon`, tz: 'UTC', now: from })
        const ahead = result?.ok ? (result.at - from) / 86_400_000 : 1
        expect(ahead).toBeGreaterThan(0)
        expect(ahead).toBeLessThanOrEqual(184)
      }),
      { numRuns: 2_000 },
    )
  })

  test('keeps the milliseconds of now in a time relative to it', () => {
    const result = resolveRunAt({ runAt: 'in 2 hours', tz, now: now + 7 })
    expect(result).toEqual({ ok: true, at: now + 7 + 120 * MINUTE, kind: 'text' })
  })
})

describe('a change of clocks', () => {
  const rome = ' does not exist in Europe/Rome that day: moved to '
  const lordHowe = ' comes twice in Australia/Lord_Howe that day: the first is meant'
  test.each([
    ['mar 29 2:30', ROME, `02:30${rome}03:30`],
    ['2026-03-29T02:00:15', ROME, `02:00:15${rome}03:00:15`],
    ['in 11 days at 2:59', ROME, `02:59${rome}03:59`],
    ['mar 29 1:59', ROME, undefined],
    ['mar 29 3:00', ROME, undefined],
    ['2026-03-29T02:30Z', ROME, undefined],
    ['5m', ROME, undefined],
    ['apr 5 1:29', LORD_HOWE, undefined],
    ['apr 5 1:30', LORD_HOWE, `01:30${lordHowe}`],
    ['2026-04-05 01:59:59', LORD_HOWE, `01:59:59${lordHowe}`],
    ['apr 5 2:00', LORD_HOWE, undefined],
    [
      'oct 4 2026 2:15',
      LORD_HOWE,
      '02:15 does not exist in Australia/Lord_Howe that day: moved to 02:45',
    ],
    [
      'nov 4 2018 0:10',
      SAO_PAULO,
      '00:10 does not exist in America/Sao_Paulo that day: moved to 01:10',
    ],
  ])('of %s in %s is told: %s', (runAt, zone, note) => {
    const result = resolveRunAt({
      runAt,
      tz: zone,
      now: zone === SAO_PAULO ? Date.UTC(2018, 9, 1) : now,
    })
    const wall = result?.ok ? result.wall : undefined
    expect(result?.ok).toBe(true)
    expect(wall && clockChange(wall, zone)).toBe(note)
  })
})

describe('ISO times', () => {
  test.each([
    ['2026-03-20T10:00:00Z', '2026-03-20T10:00:00.000Z'],
    ['2026-03-20t10:00z', '2026-03-20T10:00:00.000Z'],
    ['2026-03-20T10:00:00.123456789Z', '2026-03-20T10:00:00.123Z'],
    ['2026-03-20T10:00:00+05:30', '2026-03-20T04:30:00.000Z'],
    ['2026-03-20T10:00:00-0400', '2026-03-20T14:00:00.000Z'],
    ['2026-03-20T10:00', '2026-03-20T09:00:00.000Z'],
    ['2026-03-20 10:00:00', '2026-03-20T09:00:00.000Z'],
    ['2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'],
    ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00.000Z'],
    ['2020-01-01T00:00:00', '2019-12-31T23:00:00.000Z'],
  ])('%s in Rome is %s', (runAt, at) => {
    expect(resolveRunAt({ runAt, tz, now })).toMatchObject({
      ok: true,
      at: Date.parse(at),
      kind: 'iso',
    })
  })
})

describe('epochs and durations', () => {
  test.each([
    [now + 5_000, now + 5_000, 'epoch'],
    [1_000, 1_000, 'epoch'],
    [String(now - 5_000), now - 5_000, 'epoch'],
    ['5m', now + 5 * MINUTE, 'duration'],
    ['1h30m', now + 90 * MINUTE, 'duration'],
    ['2 hours', now + 120 * MINUTE, 'duration'],
  ])('runAt %j', (runAt, at, kind) => {
    expect(resolveRunAt({ runAt, tz, now })).toEqual({ ok: true, at, kind })
  })

  test.each([
    ['10m', 10 * MINUTE],
    ['1h30m', 90 * MINUTE],
    [1_500, 1_500],
    ['1500', 1_500],
    [0, 0],
  ])('delay %j', (delay, ms) => {
    expect(resolveRunAt({ delay, tz, now })).toEqual({ ok: true, at: now + ms, kind: 'duration' })
  })

  test.each(['tomorrow 8am', 'in 2 hours', '2026-03-20T10:00:00Z', '-5m', '', -1, Number.NaN])(
    'refuses the delay %j',
    (delay) => {
      const result = resolveRunAt({ delay, tz, now })
      expect(result).toMatchObject({ ok: false, path: 'delay' })
      expect(result?.ok === false && result.reason).toContain('is not a duration')
    },
  )

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])('refuses the epoch %d', (runAt) => {
    expect(resolveRunAt({ runAt, tz, now })).toMatchObject({ ok: false, path: 'runAt' })
  })

  test('refuses a delay beyond the year 9999', () => {
    const result = resolveRunAt({ delay: '999999999d', tz, now })
    expect(result).toMatchObject({ ok: false, path: 'delay' })
  })
})

describe('what is given', () => {
  test('nothing for neither', () => {
    expect(resolveRunAt({ tz, now })).toBeUndefined()
    expect(resolveRunAt({ runAt: undefined, delay: undefined, tz, now })).toBeUndefined()
  })

  test('a refusal for both', () => {
    const result = resolveRunAt({ runAt: '5m', delay: '5m', tz, now })
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('one of them') })
  })

  test('a refusal for a zone that is none, whatever the time', () => {
    for (const runAt of ['tomorrow 8am', '5m', now]) {
      const result = resolveRunAt({ runAt, tz: 'Europe/Roma', now })
      expect(result).toMatchObject({ ok: false, path: 'tz' })
      expect(result?.ok === false && result.reason).toContain('"Europe/Roma" is not a time zone')
    }
  })

  test.each(['UTC', 'Europe/Rome', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'US/Pacific'])(
    '%s is a time zone',
    (name) => {
      expect(isTimeZone(name)).toBe(true)
    },
  )

  test.each(['', 'Z', '+02:00', '-05', 'Europe/Roma', 'Europe', ' UTC', 'UTC\n', 'x'.repeat(999)])(
    '%j is no time zone',
    (name) => {
      expect(isTimeZone(name)).toBe(false)
    },
  )
})
