import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonCopy } from '../../src/client/json-copy.js'

test('a copy is what JSON makes of it', () => {
  const value = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withBoxedValues: true,
  })
  fc.assert(
    fc.property(value, (given) => {
      let text: string | undefined
      try {
        text = JSON.stringify(given)
      } catch {
        expect(() => jsonCopy(given)).toThrow(expect.objectContaining({ code: 'bad_payload' }))
        return
      }
      expect(JSON.stringify(jsonCopy(given))).toBe(text)
    }),
  )
})

test('a change made later is not in the copy', () => {
  const given = { to: ['a'], deep: { n: 1 } }
  const copy = jsonCopy(given)
  given.to.push('b')
  given.deep.n = 2
  expect(copy).toEqual({ to: ['a'], deep: { n: 1 } })
})

test('a key named __proto__ stays a key', () => {
  const copy = jsonCopy(JSON.parse('{"__proto__":{"admin":true}}'))
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true}}')
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
})

test('what JSON cannot hold is refused, with its path', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  expect(() => jsonCopy({ a: [{ big: 1n }] })).toThrow(
    'a.0.big: a bigint cannot be written as JSON',
  )
  expect(() => jsonCopy(circle)).toThrow('is nested deeper than 1000 levels')
})
