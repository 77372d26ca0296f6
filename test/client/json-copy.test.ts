import { expect, test } from 'vitest'
import { jsonCopy } from '../../src/client/json-copy.js'
import { fc } from '../support/fuzz.js'

test('a copy is what JSON makes of it, but for what it would empty', () => {
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
      let lossy = false
      try {
        text = JSON.stringify(given, (_, value) => {
          lossy ||= typeof value === 'number' && !Number.isFinite(value)
          lossy ||= value instanceof Map || value instanceof Set
          return value
        })
      } catch {
        lossy = true
      }
      if (lossy) {
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
  expect(() => jsonCopy([Number.NaN])).toThrow('0: NaN cannot be written as JSON')
  expect(() => jsonCopy(() => 1)).toThrow('a function cannot be written as JSON')
  expect(() => jsonCopy({ a: { b: new Map() } })).toThrow('a.b: a Map cannot be written as JSON')
  expect(() => jsonCopy(Promise.resolve())).toThrow('a Promise cannot be written as JSON')
})

test('a payload that would hold up everyone is refused, and the next one is not', () => {
  const most = 16 * 1024 * 1024
  const tooLarge = expect.objectContaining({
    code: 'too_large',
    message:
      'the payload has more than 16,777,216 characters; keep what is large elsewhere, and send where it is',
  })
  const text = 'x'.repeat(most - 10)
  for (let round = 0; round < 2; round++) expect(jsonCopy({ a: text })).toEqual({ a: text })
  for (const large of [
    { a: `${text}0123456789` },
    [text, text],
    `${text}0123456789`,
    { [text]: text },
  ]) {
    expect(() => jsonCopy(large)).toThrow(tooLarge)
  }
  expect(() => jsonCopy({ a: { toJSON: () => text + text } })).toThrow(tooLarge)
})
