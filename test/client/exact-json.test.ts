import { describe, expect, test } from 'vitest'
import { jsonLosses } from '../../src/client/exact-json.js'
import { fc } from '../support/fuzz.js'

const lossOf = (text: string) => jsonLosses(text, JSON.parse(text))[0]

describe('a text whose value says the same', () => {
  test.each([
    '9007199254740992',
    '-9007199254740992',
    '10000000000000000000000',
    '1E+22',
    '1.50e1',
    '0.10000000000000001',
    '4503599627370497.5',
    '1.7976931348623157e308',
    '5e-324',
    '0e999',
    '-0.5',
    '"-0"',
    '"12345678901234567890"',
    '{"a":"\\":1","b":": 12345678901234567890"}',
    '{"a":{"x":1},"b":[{"x":1},{"x":2}]}',
    '{"x":":8080","y":"12:00"}',
  ])('%s is let pass', (text) => {
    expect(lossOf(text)).toBeUndefined()
  })

  test('is let pass, whatever a program wrote', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 2 }), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent)
        expect(lossOf(written)).toBeUndefined()
      }),
    )
  })
})

describe('a number that would not be kept', () => {
  test.each([
    ['9007199254740993', '9007199254740992'],
    ['9007199254740993.0', '9007199254740992'],
    ['9007199254740993e0', '9007199254740992'],
    ['18446744073709551616', '18446744073709552000'],
    ['123456789012345678e-2', '1234567890123456.8'],
    ['0.1234567890123456789', '0.12345678901234568'],
    ['1.2345678e-320', '1.2347e-320'],
    ['1e-400', '0'],
    ['-0', '0'],
    ['-0.0e5', '0'],
  ])('%s is named with what it would become, where it lies', (number, becomes) => {
    for (const [text, path] of [
      [number, ''],
      [`[1, ${number}]`, '1'],
      [`{"a": {"b":[\n${number}]}}`, 'a.b.0'],
    ] as const) {
      expect(lossOf(text)).toEqual({
        path,
        message: expect.stringContaining(`${number} would become ${becomes}`),
      })
    }
  })

  test('is found among whole numbers of any length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (number) => {
        const [digits = '', exponent = '0'] = String(Number(String(number))).split('e')
        const [whole = '', fraction = ''] = digits.split('.')
        const zeros = '0'.repeat(Number(exponent) - fraction.length)
        const kept = BigInt(whole + fraction + zeros) === number
        expect(lossOf(`[${number}]`) === undefined).toBe(kept)
      }),
    )
  })

  test('is shown no longer than a person reads', () => {
    const message = lossOf(`1${'0'.repeat(100_000)}1`)?.message
    expect(message?.length).toBeLessThan(200)
    expect(message).toContain('beyond what a number can hold')
  })
})

test('a key that is given twice is named, however it is written', () => {
  const object = fc.dictionary(fc.string(), fc.json(), { minKeys: 1, maxKeys: 5 })
  fc.assert(
    fc.property(object, fc.nat(), (members, which) => {
      const keys = Object.keys(members)
      const key = keys[which % keys.length] as string
      const hex = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
      const escaped = `"${[...Array(key.length).keys()].map((at) => hex(key[at] as string)).join('')}"`
      const one = keys.map((name) => `${JSON.stringify(name)} : ${members[name]}`).join(',')
      const text = `[{${one},${escaped}:1}]`
      const found = lossOf(text)
      expect(found?.message).toBe('is given twice')
      expect(found?.path.startsWith('0.')).toBe(true)
    }),
  )
})

test('half a million brackets are looked through', () => {
  const text = `${'['.repeat(500_000)}-0${']'.repeat(500_000)}`
  expect(lossOf(text)).toMatchObject({ message: '-0 would become 0' })
})
