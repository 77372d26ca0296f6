import { expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../src/client/cursor.js'
import { states } from '../../src/core/state.js'
import { fc } from '../support/fuzz.js'

test('what is written is read again', () => {
  const place = fc.record({
    tag: fc.string({ minLength: 1 }),
    state: fc.constantFrom(...states),
    after: fc.option(fc.string(), { nil: undefined }),
    skip: fc.nat(),
  })
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
