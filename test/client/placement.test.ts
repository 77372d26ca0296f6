import { expect, test } from 'vitest'
import { partitionOf, partitionsOf } from '../../src/client/placement.js'
import { fc } from '../support/fuzz.js'

const id = fc.stringMatching(/^[A-Za-z0-9_:-]{1,60}$/)

test('a task of a batch lies where its batch lies', () => {
  fc.assert(
    fc.property(id, fc.nat(), fc.integer({ min: 1, max: 64 }), (base, n, of) => {
      expect(partitionOf('q', of, `${base}.${n}`)).toBe(partitionOf('q', of, base))
    }),
  )
})

test('an id has one place, within the queue', () => {
  fc.assert(
    fc.property(id, fc.integer({ min: 1, max: 64 }), (base, of) => {
      const place = partitionOf('q', of, base)
      expect(place).toBe(partitionOf('q', of, base))
      expect(place.of).toBe(of)
      expect(partitionsOf('q', of)).toContain(place)
    }),
  )
})

test('ids that differ little spread evenly', () => {
  for (const of of [2, 3, 8]) {
    const counts = new Array<number>(of).fill(0)
    for (let n = 0; n < 8000; n++) {
      const { index } = partitionOf('even', of, `order-${n}`)
      counts[index] = (counts[index] ?? 0) + 1
    }
    for (const count of counts)
      expect(Math.abs(count - 8000 / of)).toBeLessThan(800 / Math.sqrt(of))
  }
})

test('places never move from one release to the next', () => {
  const places = ['a', 'order-1', '0190b6a2-7c3e-7a7a-8b1e-2f3a4b5c6d7e', 'idem-00ff.12'].map(
    (each) => partitionOf('q', 8, each).index,
  )
  expect(places).toMatchInlineSnapshot(`
    [
      3,
      4,
      1,
      5,
    ]
  `)
})
