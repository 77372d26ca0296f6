import { describe, expect, test } from 'vitest'
import { resolveRunAt } from '../../src/core/run-at.js'
import { fc } from '../support/fuzz.js'
import { PHRASES } from './run-at/golden.js'
import type { Phrase } from './run-at/phrase.js'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

function read(text: string, zone: string, from: string) {
  return resolveRunAt({ runAt: text, tz: zone, now: Date.parse(from) })
}

const HOURS = [0, 6, 12.5, 17.5, 24 - 0.5 / 3600].map((hour) => hour * 60 * MINUTE + 1)
const DAYS = [0, 1, 2, 3, 4, 5, 6, 40, 200, 400, 1461]

/** The phrase's own now, then hours of days after it, on the clock of its zone. */
function nows(from: string): number[] {
  const midnight = Date.parse(`${from.slice(0, 10)}T00:00:00${from.slice(19)}`)
  return [Date.parse(from), ...DAYS.flatMap((day) => HOURS.map((ms) => midnight + day * DAY + ms))]
}

/** Whether two texts mean the same whenever they are written; one instant may be chance. */
function areTheSame(one: string, other: string, [, tz, from]: Phrase): boolean {
  return nows(from).every((now) => {
    const [a, b] = [one, other].map((runAt) => resolveRunAt({ runAt, tz, now }))
    if (a?.ok && b?.ok) return a.kind === b.kind && a.at === b.at
    return a?.ok === b?.ok
  })
}

/** What may go without changing the meaning. */
const GLUE = /^(?:at|on|the|of|and|in|,|o'clock)$/
const PART = /^(?:morning|afternoon|evening|night)$/i
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?$/i
const DATE = /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i

/** A part of the day beside a time, and a weekday beside its date, are but checked against it. */
function isCheck(text: string, word: string): boolean {
  return PART.test(word) || (WEEKDAY.test(word) && DATE.test(text))
}

/** The next midnight is tomorrow's, and tonight's. */
function isMidnight(text: string, word: string): boolean {
  return /midnight|\b12 ?am|\b0:00/.test(text) && /^(?:tomorrow|tonight)$/.test(word)
}

/** Other words for noon, and for the now of 'a week from now'. */
const SYNONYM = /^(?:midday|12pm|today)$/

describe('each word counts', () => {
  test('without any one of them a phrase means something else, or is refused', () => {
    const wrong = PHRASES.flatMap((phrase) => {
      const words = phrase[0].trim().split(/\s+/)
      return words.flatMap((word, n) => {
        if (GLUE.test(word) || isCheck(phrase[0], word)) return []
        if (isMidnight(phrase[0], word)) return []
        const rest = words.toSpliced(n, 1).join(' ')
        return areTheSame(phrase[0], rest, phrase) ? [`${phrase[0]} = ${rest}`] : []
      })
    })
    expect(wrong).toEqual([])
  })

  const others = [
    'monday',
    'tomorrow',
    'now',
    'next',
    'dec',
    '13',
    'minutes',
    'noon',
    '5:07am',
    'xyzzy',
  ]
  test.each(others)(
    'with %s for any one of them a phrase means something else, or is refused',
    (other) => {
      const wrong = PHRASES.flatMap((phrase) => {
        const words = phrase[0].trim().split(/\s+/)
        return words.flatMap((word, n) => {
          if (GLUE.test(word) || word.toLowerCase().startsWith(other.slice(0, 3))) return []
          if (isMidnight(phrase[0], word) || SYNONYM.test(word)) return []
          const changed = words.toSpliced(n, 1, other).join(' ')
          return areTheSame(phrase[0], changed, phrase) ? [`${phrase[0]} = ${changed}`] : []
        })
      })
      expect(wrong).toEqual([])
    },
  )
})

describe('what no text does', () => {
  const words =
    'tomorrow today tonight next this on at in the of a friday monday dec 24 24th 2026 5pm 5:30 pm ' +
    '8 noon midnight morning night day days hours week 2 and from now half after ago may 0 2026-03-18'
  const text = fc
    .array(fc.constantFrom(...words.split(' ')), { minLength: 1, maxLength: 6 })
    .map((list) => list.join(' '))
  const instant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })
  const zone = fc.constantFrom('Europe/Rome', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia')

  test('a text is never read as now or as a past time', () => {
    fc.assert(
      fc.property(text, zone, instant, (runAt, tz, now) => {
        const result = resolveRunAt({ runAt, tz, now })
        if (result?.ok && result.kind === 'text') expect(result.at).toBeGreaterThan(now)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a phrase with a character changed or added is a later time, another kind or refused', () => {
    const character = fc.constantFrom(..."abdehmnoprstuwy0123456789 :.,-+'")
    const phrase = fc.constantFrom(...PHRASES)
    fc.assert(
      fc.property(phrase, fc.nat(), character, fc.nat(1), ([text, zone, from], n, added, over) => {
        const place = n % (text.length + 1)
        const result = read(text.slice(0, place) + added + text.slice(place + over), zone, from)
        if (result?.ok) expect(result.at > Date.parse(from) || result.kind !== 'text').toBe(true)
        else expect(result?.reason).toContain('understood')
      }),
      { numRuns: 1_000 },
    )
  })

  test('a word that is not of the language, before, behind or between, is refused', () => {
    const junk = fc.stringMatching(/^[bcdfgjkqvxz]{3,8}$/)
    fc.assert(
      fc.property(fc.constantFrom(...PHRASES), junk, fc.nat(), ([phrase, zone, from], word, n) => {
        const parts = phrase.trim().split(/\s+/)
        parts.splice(n % (parts.length + 1), 0, word)
        expect(read(parts.join(' '), zone, from)?.ok).toBe(false)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a time said twice is refused', () => {
    for (const [phrase, zone, from] of PHRASES) {
      expect(read(`${phrase} ${phrase}`, zone, from)?.ok, phrase).toBe(false)
    }
  })

  test('a bare time is within a day and shows as itself on the clock of the zone', () => {
    const hour = fc.integer({ min: 0, max: 23 })
    const minute = fc.integer({ min: 0, max: 59 })
    fc.assert(
      fc.property(hour, minute, fc.integer({ min: 0, max: 4e12 }), (h, m, now) => {
        const clock = `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`
        const result = resolveRunAt({ runAt: clock, tz: 'Asia/Tokyo', now })
        const at = result?.ok ? result.at : Number.NaN
        expect(at - now).toBeGreaterThan(0)
        expect(at - now).toBeLessThanOrEqual(1440 * MINUTE)
        expect(new Date(at + 540 * MINUTE).toISOString().slice(11, 16)).toBe(clock)
      }),
      { examples: [[0, 0, 0]] },
    )
  })
})
