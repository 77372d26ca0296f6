import { afterEach, expect, test, vi } from 'vitest'
import { canonicalJson, fingerprintOf, idOfKey, newId } from '../../src/client/ids.js'

test('a new id is a UUIDv7', () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

afterEach(() => {
  vi.useRealTimers()
})

test('the first 48 bits of a new id are its millisecond, so that ids sort by it', () => {
  vi.useFakeTimers()
  const instants = [0, 1, 255, 1_795_520_129_918, 1_795_520_129_919]
  const ids = instants.map((ms) => {
    vi.setSystemTime(ms)
    return newId()
  })
  expect(ids.map((id) => Number.parseInt(id.slice(0, 13).replace('-', ''), 16))).toEqual(instants)
  expect(ids.toSorted()).toEqual(ids)
})

test('no two ids of a millisecond are the same, and all of them are UUIDs', () => {
  vi.useFakeTimers()
  const ids = Array.from({ length: 10_000 }, newId)
  expect(new Set(ids).size).toBe(10_000)
  expect(ids.every((id) => id[14] === '7' && '89ab'.includes(id[19] ?? ''))).toBe(true)
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
