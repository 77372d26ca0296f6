import { expect, test } from 'vitest'
import { resolveRunAt } from '../../src/core/run-at.js'
import { fc, tried } from '../support/fuzz.js'

const now = Date.parse('2026-03-14T09:26:53.589Z')
const zones = ['UTC', 'Europe/Rome', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']
/** The last instant of the year 9999. */
const last = 253_402_300_799_999

const words = [
  ...['tomorrow', 'today', 'tonight', 'yesterday', 'next', 'last', 'this', 'on', 'at', 'in', 'a'],
  ...[
    'friday',
    'mon',
    'march',
    'feb 29',
    '29 feb 2027',
    'week',
    'month',
    'year',
    'hours',
    'minutes',
  ],
  ...[
    '8am',
    '25:00',
    '12:60',
    '17:30',
    'noon',
    'midnight',
    '2',
    '02',
    '2026',
    '99999',
    '-1',
    '1.5',
  ],
  ...[
    'now',
    'ago',
    'from now',
    'and',
    'half past',
    'quarter',
    'th',
    '1st',
    'am',
    'pm',
    'z',
    '+02:00',
  ],
  ...['2026-12-24', 'T', '18:00', '24/12/2026', '12/24', 'CET', 'Europe/Rome', 'every', 'not', '…'],
  ...[
    '\0',
    '\n',
    '\u202e',
    '\ud800',
    'ａ',
    '٣',
    '日',
    '🎉',
    "'; --",
    '$(1)',
    '<b>',
    '__proto__',
    'NaN',
  ],
]
const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }).map((all) => all.join(' ')),
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }).map((all) => all.join('')),
  fc.stringMatching(/^[0-9TZ:+\-./ ]{1,40}$/),
)
/** One character over and over, or a few: what back-tracking chokes on. */
const monotonous = fc
  .tuple(
    fc.oneof(fc.string({ minLength: 1, maxLength: 4 }), fc.constantFrom(...words)),
    fc.nat(100),
  )
  .map(([part, length]) => part.repeat(100).slice(0, length))

const read = (runAt: unknown, tz: string) => resolveRunAt({ runAt: runAt as string, tz, now })

test('text is refused in words, or is an instant that is still to come', () => {
  const property = fc.property(
    fc.oneof(junk, monotonous),
    fc.constantFrom(...zones),
    (text, tz) => {
      const result = read(text, tz)
      if (result === undefined) throw new Error('neither an instant nor a refusal')
      if (!result.ok) {
        expect(result.path).toBe('runAt')
        expect(result.reason.length).toBeLessThan(1000)
        return
      }
      expect(Number.isInteger(result.at)).toBe(true)
      expect(result.at).toBeLessThanOrEqual(last)
      // A past ISO time or epoch means now; no text and no duration does.
      if (result.kind === 'text') expect(result.at).toBeGreaterThan(now)
      if (result.kind === 'duration') expect(result.at).toBeGreaterThanOrEqual(now)
    },
  )
  fc.assert(property, tried(1000))
})

test('what is understood has a number or a word of time in it, never junk alone', () => {
  const timeless = fc
    .oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.lorem({ maxCount: 6 }))
    .map((text) => text.replace(/\d|\p{Nd}/gu, ''))
  const ofTime =
    /noon|midnight|midday|\b(an?|one|two|three|four|five|six|seven|eight|nine|ten|half|next|couple|few)\b/i
  const property = fc.property(timeless, (text) => {
    const result = read(text, 'UTC')
    if (result?.ok) expect(text).toMatch(ofTime)
  })
  fc.assert(property, tried(800))
})

test('a longer one is refused before it is read, and so is what is no text', () => {
  const property = fc.property(fc.string({ minLength: 101, maxLength: 5000 }), (text) => {
    expect(read(text, 'UTC')).toMatchObject({ ok: false, reason: expect.stringContaining('100') })
  })
  fc.assert(property, tried(1000))
  const odd = fc.property(fc.anything(), (value) => {
    if (typeof value === 'string' || value === undefined) return
    const result = read(value, 'UTC')
    if (typeof value !== 'number' || !Number.isFinite(value)) expect(result?.ok).toBe(false)
  })
  fc.assert(odd, tried(1000))
})

test('a hundred characters are read, or not, in a bounded time', () => {
  let longest = 0
  const property = fc.property(fc.oneof(junk, monotonous), (text) => {
    const begun = process.cpuUsage()
    read(text, 'Europe/Rome')
    const { user } = process.cpuUsage(begun)
    longest = Math.max(longest, user)
  })
  fc.assert(property, tried(800))
  // One that back-tracks takes many seconds; others take one or two ms of the processor's time.
  expect(longest).toBeLessThan(1_000_000)
})

test('a zone is a name that is known, or is refused', () => {
  const property = fc.property(fc.oneof(fc.string({ maxLength: 100 }), junk), (tz) => {
    const result = read('tomorrow 8am', tz)
    expect(result?.ok === true || result?.path === 'tz').toBe(true)
  })
  fc.assert(property, tried(1000))
})
