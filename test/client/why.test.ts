import { expect, test } from 'vitest'
import { type Circumstances, whyNot } from '../../src/client/why.js'
import type { LimitState, StoredTask } from '../../src/core/broker.js'

const now = Date.UTC(2026, 0, 1, 12)
const around: Circumstances = { now, queue: 'images', paused: false, workers: 2 }

const stored = (parts: Partial<StoredTask>): StoredTask => ({
  id: 't',
  state: 'waiting',
  priority: 'normal',
  body: { type: 'noop', payload: {}, enqueuedAt: now, overrides: {}, tags: [] },
  deadLetter: 'dead',
  attempts: [],
  failures: 0,
  losses: 0,
  mismatchSince: 0,
  ...parts,
})

const failed = {
  attempt: 2,
  startedAt: '2026-01-01T11:59:00.000Z',
  endedAt: '2026-01-01T11:59:01.000Z',
  outcome: 'retry',
  error: { name: 'Error', message: 'no route to host' },
} as const

test('a scheduled task says when it is due', () => {
  expect(whyNot(stored({ state: 'scheduled', dueAt: now + 123_000 }), around)).toBe(
    'due in 2m 3s, at 2026-01-01T12:02:03.000Z',
  )
  expect(whyNot(stored({ state: 'scheduled', dueAt: now - 1 }), around)).toBe('due now')
})

test('a waiting task says its place in line, and what the line waits for', () => {
  expect(whyNot(stored({ position: 0 }), around)).toBe('first in line')
  expect(whyNot(stored({ position: 2 }), around)).toBe('3rd in line behind 2')
  expect(whyNot(stored({ position: 11 }), around)).toBe('12th in line behind 11')
  expect(whyNot(stored({ position: 20 }), around)).toBe('21st in line behind 20')
  expect(whyNot(stored({ position: 0 }), { ...around, paused: true })).toBe(
    "queue 'images' is paused; first in line",
  )
  expect(whyNot(stored({ position: 1 }), { ...around, workers: 0 })).toBe(
    "no live worker for queue 'images'; 2nd in line behind 1",
  )
})

test('a waiting task says which limit holds it, and how long its rate takes', () => {
  const rated = { rate: '2/m', fullAt: now + 20_000, said: {}, differs: false }
  const why = (position: number, limits: LimitState, active = 0) =>
    whyNot(stored({ position }), { ...around, limited: { limits, active, now } })
  expect(why(0, rated)).toBe(
    "held by the queue's rate of 2/m: it may start in 20s at the earliest; first in line",
  )
  expect(why(3, rated)).toContain('may start in 1m 50s at the earliest; 4th in line behind 3')
  expect(why(0, { ...rated, fullAt: now - 1 })).toBe('first in line')
  const busy = { ...rated, maxActive: 5 }
  expect(why(1, busy, 5)).toBe(
    "held by the queue's maxActive of 5: 5 are active; 2nd in line behind 1",
  )
  expect(why(0, busy, 4)).toContain("held by the queue's rate")
})

test('a waiting task says about how long it waits, where the line moves', () => {
  const at = (position: number, rate: number | undefined, more: Partial<Circumstances> = {}) =>
    whyNot(stored({ position }), { ...around, rate, ...more })
  expect(at(120, 2)).toBe('121st in line behind 120, about 1m at the current rate')
  expect(at(1, 50)).toBe('2nd in line behind 1, about a second at the current rate')
  expect(at(1_000_000, 100)).toContain('about 2h 50m at the current rate')
  expect(at(0, 2)).toBe('first in line')
  expect(at(9, undefined)).toBe('10th in line behind 9')
  expect(at(9, 2, { paused: true })).toBe("queue 'images' is paused; 10th in line behind 9")
  expect(at(9, 2, { workers: 0 })).not.toContain('rate')
})

test('a queue without workers says since when, where that is known', () => {
  const gone = { ...around, workers: 0, workerless: now - 125_000 }
  expect(whyNot(stored({ position: 0 }), gone)).toBe(
    "no live worker for queue 'images' for 2m 10s; first in line",
  )
  const due = stored({ state: 'scheduled', dueAt: now - 1 })
  expect(whyNot(due, gone)).toBe("due now; no live worker for queue 'images' for 2m 10s")
  expect(whyNot(stored({ state: 'scheduled', dueAt: now + 1000 }), gone)).not.toContain('worker')
})

test('a type that no kernel knows, and a suspect, say so', () => {
  expect(whyNot(stored({ position: 0 }), { ...around, known: false })).toBe(
    "no kernel knows its type 'noop'; first in line",
  )
  expect(whyNot(stored({ position: 0, losses: 1 }), around)).toBe('first in line')
  expect(whyNot(stored({ position: 0, losses: 2 }), around)).toBe(
    'its worker was lost 2 times, so it runs alone in a process of its own; first in line',
  )
})

test('a retryable task says which attempt it waits for, and after which error', () => {
  const task = stored({ state: 'retryable', dueAt: now + 12_000, failures: 2, attempts: [failed] })
  expect(whyNot(task, { ...around, attempts: 10 })).toBe(
    'waits 12s, until 2026-01-01T12:00:12.000Z, for attempt 3 of 10 after Error: no route to host',
  )
  expect(whyNot(task, around)).toContain('for attempt 3 after Error: no route to host')
  const own = { ...task, body: { ...task.body, overrides: { attempts: 4 } } }
  expect(whyNot(own, { ...around, attempts: 10 })).toContain('attempt 3 of 4')
})

test('a task that no worker knows says for how long', () => {
  const task = stored({ state: 'scheduled', dueAt: now + 5000, mismatchSince: now - 60_000 })
  expect(whyNot(task, around)).toBe(
    'put back since no worker has known its type or payload for 1m; due in 5s, at 2026-01-01T12:00:05.000Z',
  )
})

test('an ended task says what ended it, and a running one nothing', () => {
  expect(whyNot(stored({ state: 'dead', attempts: [failed] }), around)).toBe(
    'Error: no route to host',
  )
  expect(whyNot(stored({ state: 'dead' }), around)).toContain('expired')
  expect(whyNot(stored({ state: 'cancelled' }), around)).toBe('cancelled by request')
  expect(whyNot(stored({ state: 'active' }), around)).toBeUndefined()
  expect(whyNot(stored({ state: 'completed' }), around)).toBeUndefined()
})
