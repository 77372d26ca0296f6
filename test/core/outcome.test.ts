import { describe, expect, test } from 'vitest'
import { FatalError, RetryError } from '../../src/core/errors.js'
import { decideOutcome, toTaskError } from '../../src/core/outcome.js'
import { type RetryDecision, type RetryPolicy, retryDelay } from '../../src/core/retry.js'
import { fc } from '../support/fuzz.js'

const policies = fc.record({
  attempts: fc.integer({ min: 1, max: 1000 }),
  backoff: fc.constantFrom('fixed' as const, 'linear' as const, 'exponential' as const),
  delay: fc.integer({ min: 0, max: 3_600_000 }),
  maxDelay: fc.integer({ min: 0, max: 86_400_000 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
})
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const attempts = fc.integer({ min: 1, max: 1000 })

const policy: RetryPolicy = {
  attempts: 3,
  backoff: 'exponential',
  delay: 1000,
  maxDelay: 60_000,
  jitter: 0,
}
const at = (attempt: number, over: Partial<RetryPolicy> = {}) => ({
  policy: { ...policy, ...over },
  attempt,
  random: () => 0,
})
const threw = (error: unknown) => ({ kind: 'threw' as const, error })

describe('the delay of a retry', () => {
  test('never exceeds the cap, never is negative, and jitter only takes away', () => {
    fc.assert(
      fc.property(policies, attempts, chance, (given, attempt, random) => {
        const whole = retryDelay({ ...given, jitter: 0 }, attempt, () => 0)
        const delay = retryDelay(given, attempt, () => random)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(Math.min(whole, given.maxDelay))
        expect(delay).toBeGreaterThanOrEqual(Math.floor(whole * (1 - given.jitter)) - 1)
      }),
    )
  })

  test('never shrinks from attempt to attempt without jitter', () => {
    fc.assert(
      fc.property(policies, attempts, (given, attempt) => {
        const still = { ...given, jitter: 0 }
        const now = retryDelay(still, attempt, () => 0)
        expect(retryDelay(still, attempt + 1, () => 0)).toBeGreaterThanOrEqual(now)
      }),
    )
  })

  test('grows as its backoff says', () => {
    const delays = (backoff: RetryPolicy['backoff']) =>
      [1, 2, 3, 4].map((attempt) => retryDelay({ ...policy, backoff }, attempt, () => 0))
    expect(delays('fixed')).toEqual([1000, 1000, 1000, 1000])
    expect(delays('linear')).toEqual([1000, 2000, 3000, 4000])
    expect(delays('exponential')).toEqual([1000, 2000, 4000, 8000])
  })
})

describe('what follows from an attempt', () => {
  test('a failure is a retry before the last attempt and a dead letter at it, whatever was thrown', () => {
    fc.assert(
      fc.property(policies, attempts, fc.anything(), (given, attempt, error) => {
        const outcome = decideOutcome(threw(error), { policy: given, attempt, random: () => 0 })
        expect(outcome.name).toBe(attempt >= given.attempts ? 'bury' : 'retry')
      }),
    )
  })

  test('FatalError buries at once', () => {
    const outcome = decideOutcome(threw(new FatalError('gone')), at(1))
    expect(outcome).toMatchObject({ name: 'bury', error: { message: 'gone', code: 'fatal' } })
  })

  test('RetryError says when, and does not add attempts', () => {
    const error = new RetryError('later', { after: '30s' })
    expect(decideOutcome(threw(error), at(1))).toMatchObject({ name: 'retry', after: 30_000 })
    expect(decideOutcome(threw(error), at(3)).name).toBe('bury')
  })

  test('a policy may decide by the error, and one that throws counts as retry', () => {
    const decide = (error: unknown): RetryDecision => (error === 'no' ? 'bury' : { after: '5s' })
    expect(decideOutcome(threw('no'), at(1, { decide })).name).toBe('bury')
    expect(decideOutcome(threw('yes'), at(1, { decide }))).toMatchObject({ after: 5000 })
    const broken = () => {
      throw new Error('broken')
    }
    expect(decideOutcome(threw('x'), at(1, { decide: broken }))).toMatchObject({ after: 1000 })
  })

  test('the kept error is bounded', () => {
    const error = new Error('m'.repeat(100_000))
    error.stack = 's'.repeat(100_000)
    const outcome = decideOutcome(threw(error), at(1))
    expect(JSON.stringify(outcome).length).toBeLessThan(10_000)
  })

  test('what cannot be read is kept as far as it can be', () => {
    const oops = () => {
      throw new Error('from a getter')
    }
    const bare = Object.create(null)
    const spoilt = (name: string, property: PropertyDescriptor) =>
      Object.defineProperty(new TypeError('x'), name, property)
    const proxy = new Proxy({}, { has: oops, getPrototypeOf: oops, get: oops })
    expect(toTaskError(spoilt('message', { get: oops }))).toMatchObject({
      name: 'TypeError',
      message: 'what was thrown cannot be read',
      code: 'failed',
    })
    expect(toTaskError(spoilt('message', { value: bare })).message).toContain('cannot be read')
    expect(toTaskError(spoilt('name', { get: oops }))).toMatchObject({
      name: 'Error',
      message: 'x',
    })
    expect(toTaskError(spoilt('stack', { get: oops }))).not.toHaveProperty('stack')
    expect(toTaskError(spoilt('code', { get: oops })).code).toBe('failed')
    const coded = Object.defineProperty({}, 'code', { get: oops })
    expect(toTaskError(coded)).toMatchObject({ message: '{}', code: 'failed' })
    expect(toTaskError(bare)).toMatchObject({ message: '{}', code: 'failed' })
    expect(toTaskError(proxy)).toMatchObject({ name: 'Error', code: 'failed' })
    expect(decideOutcome(threw(proxy), at(1)).name).toBe('retry')
    expect(decideOutcome(threw(proxy), at(3)).name).toBe('bury')
  })
})
