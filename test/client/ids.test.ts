import { expect, test } from 'vitest'
import { canonicalJson, fingerprintOf, idOfKey, newId } from '../../src/client/ids.js'

test('a new id is a UUIDv7', () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('an idempotency key makes the same id for the same type alone', () => {
  expect(idOfKey('email', 'order 7')).toMatch(/^idem-[0-9a-f]{32}$/)
  expect(idOfKey('email', 'order 7')).toBe(idOfKey('email', 'order 7'))
  expect(idOfKey('email', 'order 7')).not.toBe(idOfKey('sms', 'order 7'))
  expect(idOfKey('a', 'b\nc')).not.toBe(idOfKey('a\nb', 'x'))
})

test('a fingerprint does not see the order of keys, and sees everything else', () => {
  expect(fingerprintOf({ a: 1, b: { c: 2, d: [1, 2] } })).toBe(
    fingerprintOf({ b: { d: [1, 2], c: 2 }, a: 1 }),
  )
  expect(fingerprintOf([1, 2])).not.toBe(fingerprintOf([2, 1]))
  expect(fingerprintOf({ a: '1' })).not.toBe(fingerprintOf({ a: 1 }))
  expect(canonicalJson({ b: undefined, a: null })).toBe('{"a":null}')
})
