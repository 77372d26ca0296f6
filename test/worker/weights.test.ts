import { expect, test } from 'vitest'
import { allot, hungryRooms, type Part, roomOf } from '../../src/worker/weights.js'

const claims = (...pairs: [weight: number, most: number][]) =>
  pairs.map(([weight, most]) => ({ weight, most }))

/** A stream of numbers from 0 to below 1 that is the same in every run. */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)

test('slots go by weight, none gets less than one or more than it can use', () => {
  expect(allot(8, claims([3, 99], [1, 99]))).toEqual([6, 2])
  expect(allot(10, claims([1, 99], [1, 99], [1, 99]))).toEqual([4, 3, 3])
  expect(allot(10, claims([100, 99], [1, 99], [1, 99]))).toEqual([8, 1, 1])
  expect(allot(10, claims([1, 2], [1, 99]))).toEqual([2, 8])
  expect(allot(10, claims([1, 2], [1, 3]))).toEqual([2, 3])
  expect(allot(3, claims([9, 9]))).toEqual([3])
})

test('every slot that can be used is given, and no more', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const roll = dice(seed)
    const all = Array.from({ length: 1 + roll(6) }, () => ({
      weight: 1 + roll(9),
      most: 1 + roll(30),
    }))
    const slots = all.length + roll(60)
    const given = allot(slots, all)
    expect(sum(given)).toBe(Math.min(slots, sum(all.map(({ most }) => most))))
    for (const [i, amount] of given.entries()) {
      expect(amount).toBeGreaterThanOrEqual(1)
      expect(amount).toBeLessThanOrEqual(all[i]?.most ?? 0)
    }
    // Of two that could use more, the heavier has no less.
    for (const [i, a] of all.entries()) {
      for (const [j, b] of all.entries()) {
        if (a.weight < b.weight || (given[i] ?? 0) === a.most) continue
        expect(given[i]).toBeGreaterThanOrEqual((given[j] ?? 0) - 1)
      }
    }
  }
})

test('the process never runs more than its slots, none is starved, and idle slots are lent', () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const roll = dice(seed)
    const parts = Array.from({ length: 1 + roll(5) }, () => ({
      weight: 1 + roll(9),
      most: 1 + roll(20),
      held: 0,
      hungry: true,
    }))
    const slots = parts.length + roll(20)
    for (let step = 0; step < 150; step += 1) {
      const index = roll(parts.length)
      const part = parts[index] as Part & { held: number; hungry: boolean }
      if (roll(3) === 0) part.hungry = roll(2) === 0
      if (roll(2) === 0) part.held -= roll(part.held + 1)
      else part.held += roll(roomOf(slots, parts, index) + 1)
      expect(sum(parts.map(({ held }) => held))).toBeLessThanOrEqual(slots)
      for (const [i, each] of parts.entries()) {
        if (each.held === 0) expect(roomOf(slots, parts, i)).toBeGreaterThanOrEqual(1)
      }
    }
    // One alone that is hungry gets all but one for each of the others.
    for (const [i, each] of parts.entries()) Object.assign(each, { held: 0, hungry: i === 0 })
    const most = parts[0]?.most ?? 0
    expect(roomOf(slots, parts, 0)).toBe(Math.min(most, slots - parts.length + 1))
  }
})

test('what was lent comes back as tasks end', () => {
  const busy = { weight: 1, most: 100, held: 9, hungry: true }
  const idle = { weight: 1, most: 100, held: 1, hungry: true }
  expect(roomOf(10, [busy, idle], 0)).toBe(0)
  expect(roomOf(10, [busy, idle], 1)).toBe(0)
  busy.held = 7
  expect(roomOf(10, [busy, idle], 0)).toBe(0)
  expect(roomOf(10, [busy, idle], 1)).toBe(2)
})

test('what all hungry ones may take, found at once, is what each may take by itself', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const roll = dice(seed)
    const parts = Array.from({ length: 1 + roll(8) }, () => ({
      weight: 1 + roll(9),
      most: 1 + roll(20),
      held: roll(5),
      hungry: roll(2) === 0,
    }))
    const slots = parts.length + roll(40)
    const each = parts.map(({ hungry }, i) => (hungry ? roomOf(slots, parts, i) : 0))
    expect(hungryRooms(slots, parts)).toEqual(each)
  }
})

test('a thousand queues share their slots as soon as a few do', () => {
  const roll = dice(7)
  const parts = Array.from({ length: 1000 }, () => ({
    weight: 1 + roll(90),
    most: 1 + roll(50),
    held: 0,
    hungry: true,
  }))
  // A look that took a ms for each of them would not come to its end here.
  for (let look = 0; look < 100; look += 1) {
    const sums = hungryRooms(1000 + look * 100, parts)
    expect(Math.min(...sums)).toBeGreaterThanOrEqual(1)
  }
})
