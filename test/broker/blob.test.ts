import { expect, test } from 'vitest'
import { decodeTask, encodeTask } from '../../src/broker/blob.js'

const now = 1_764_000_000_000
const stamp = now.toString(36)
const rest = (parts: object) => JSON.stringify({ overrides: {}, tags: [], ...parts })

test('a record with everything in it is read as it was written', () => {
  const body = {
    type: 'noop',
    payload: { n: 1 },
    enqueuedAt: now,
    overrides: { attempts: 3, timeout: 5 },
    tags: ['a'],
    traceparent: '00-1-2-01',
    tz: 'UTC',
  }
  const task = { id: 'a', priority: 'high', deadLetter: 'dead:x', body } as const
  const read = decodeTask(encodeTask(task))
  expect(read).toMatchObject({ priority: 'high', deadLetter: 'dead:x', body })
  expect(read.broken).toBeUndefined()
})

test('an enqueue time with a fraction of a ms is read without it', () => {
  const body = { type: 'noop', payload: 1, enqueuedAt: now + 0.5, overrides: {}, tags: [] }
  const task = { id: 'a', priority: 'low', deadLetter: 'dead', body } as const
  expect(decodeTask(encodeTask(task)).body.enqueuedAt).toBe(now)
})

test('words of the last line that no task has are not taken over', () => {
  const read = decodeTask(`1\nnoop ${stamp}\n1\n${rest({ payload: 2, type: 'x' })}`)
  expect(read.body).toEqual({ type: 'noop', payload: 1, enqueuedAt: now, overrides: {}, tags: [] })
})

test.each([
  ['no overrides', `1\nnoop ${stamp}\n1\n{"tags":[]}`],
  ['no tags', `1\nnoop ${stamp}\n1\n{"overrides":{}}`],
  ['overrides of another shape', `1\nnoop ${stamp}\n1\n${rest({ overrides: [] })}`],
  ['attempts that are text', `1\nnoop ${stamp}\n1\n${rest({ overrides: { attempts: '3' } })}`],
  ['a timeout of null', `1\nnoop ${stamp}\n1\n${rest({ overrides: { timeout: null } })}`],
  ['tags that are text', `1\nnoop ${stamp}\n1\n${rest({ tags: 'a' })}`],
  ['a tag that is a number', `1\nnoop ${stamp}\n1\n${rest({ tags: [1] })}`],
  ['a traceparent that is a number', `1\nnoop ${stamp}\n1\n${rest({ traceparent: 1 })}`],
  ['a zone that is a number', `1\nnoop ${stamp}\n1\n${rest({ tz: 1 })}`],
  ['a last line of another shape', `1\nnoop ${stamp}\n1\nnull`],
  ['a last line that is no JSON', `1\nnoop ${stamp}\n1\n{`],
  ['an enqueue time that is none', `1\nnoop ${stamp}!\n1`],
  ['an enqueue time below zero', '1\nnoop -1\n1'],
  ['an enqueue time past all dates', `1\nnoop ${(9e15).toString(36)}\n1`],
  ['no enqueue time', '1\nnoop \n1'],
  ['a due time that is none', `1   soon\nnoop ${stamp}\n1`],
  ['a due time past all dates', `1   9000000000000000\nnoop ${stamp}\n1`],
])('a record with %s cannot be read', (_, blob) => {
  const { broken, body } = decodeTask(blob)
  expect(broken).toContain('cannot be read')
  expect(body).toEqual({ type: '', payload: null, enqueuedAt: 0, overrides: {}, tags: [] })
})
