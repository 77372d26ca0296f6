import { expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../src/client/cursor.js'
import { states } from '../../src/core/state.js'
import { fc } from '../support/fuzz.js'

const scored = fc.stringMatching(/^\d{1,16}\.\d\d [\w.-]+$/)
const scanned = fc.stringMatching(/^\d{1,19}( [\w.-]+)?$/)

test('what is written is read again', () => {
  const place = fc.constantFrom(...states).chain((state) =>
    fc.record({
      tag: fc.string({ minLength: 1 }),
      state: fc.constant(state),
      after: fc.option(state === 'active' ? scanned : scored, { nil: undefined }),
      skip: fc.nat(10_000),
    }),
  )
  fc.assert(
    fc.property(place, (given) => {
      expect(readCursor(writeCursor(given))).toEqual(given)
      expect(writeCursor(given)).toMatch(/^[A-Za-z0-9_-]+$/)
    }),
  )
})

test('whatever else is handed in is refused as an option', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => readCursor(text)).toThrow(
        expect.objectContaining({
          code: 'bad_option',
          issues: [expect.objectContaining({ path: 'cursor' })],
        }),
      )
    }),
  )
})

test('what no broker wrote and what no page could skip is refused', () => {
  const strange = {
    dead: ['', 'abc', 'score id', '17', '1.5', '0 a b', '0 \n'],
    active: ['', 'abc', '1.5 id', '99999999999999999999', '0 a b', '-1'],
  } as const
  for (const state of ['dead', 'active'] as const) {
    for (const after of strange[state]) {
      const written = writeCursor({ tag: 'main', state, after, skip: 0 })
      expect(() => readCursor(written), after).toThrow(/cursor/)
    }
    const far = writeCursor({ tag: 'main', state, skip: 1e9 })
    expect(() => readCursor(far)).toThrow(/cursor/)
  }
})
