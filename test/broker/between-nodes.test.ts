import { expect, test } from 'vitest'
import { untilArrived } from '../../src/broker/between-nodes.js'

const moving = [
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request',
  'Too many Cluster redirections. Last error: ReplyError: MOVED 6591 127.0.0.1:7000',
  'Too many Cluster redirections. Last error: ReplyError: ASK 6591 127.0.0.1:7000',
]

test('a call on a slot between two nodes is made again until it has arrived', async () => {
  const refusals = [...moving]
  const call = async () => {
    const refusal = refusals.shift()
    if (refusal !== undefined) throw new Error(refusal)
    return 'done'
  }
  expect(await untilArrived(60_000, call)).toBe('done')
})

test('a slot that stays between them ends in what was last said, in time', async () => {
  let calls = 0
  const call = async () => {
    calls++
    throw new Error(moving[0])
  }
  await expect(untilArrived(200, call)).rejects.toThrow('TRYAGAIN')
  expect(calls).toBeGreaterThan(1)
  expect(calls).toBeLessThanOrEqual(4)
})

test('a node that says nothing after the slot went there takes no more than the time left', async () => {
  let calls = 0
  const call = () =>
    calls++ === 0 ? Promise.reject(new Error(moving[0])) : new Promise<never>(() => undefined)
  await expect(untilArrived(200, call)).rejects.toThrow('Command timed out')
  expect(calls).toBe(2)
})

test.each([
  'Too many Cluster redirections. Last error: Error: Command timed out',
  'Too many Cluster redirections. Last error: Error: Connection is closed.',
  'READONLY You can’t write against a read only replica.',
])('other refusals are heard at once: %s', async (words) => {
  let calls = 0
  const call = async () => {
    calls++
    throw new Error(words)
  }
  await expect(untilArrived(60_000, call)).rejects.toThrow(words)
  expect(calls).toBe(1)
})
