import { expect, test } from 'vitest'
import { send } from '../../src/client/send.js'
import type { Broker } from '../../src/core/broker.js'
import { type ErrorCode, RedisDistroError } from '../../src/core/errors.js'

const partition = { queue: 'mail', index: 0, of: 1 }

/** A store that refuses each call with the next of these, after so many ms of a clock of its own. */
function stage(refusals: readonly (readonly [code: ErrorCode, ms: number])[]) {
  const sent: boolean[] = []
  let now = 0
  const enqueue: Broker['enqueue'] = async (_, __, repeat) => {
    const [code, ms] = refusals[sent.length] ?? ['store_away', 0]
    sent.push(repeat)
    now += ms
    throw new RedisDistroError(code, 'refused')
  }
  const clock = { now: () => now, monotonic: () => now }
  const call = send({ broker: { enqueue } as Broker, clock, deadline: 900 }, partition, [])
  return { sent, call }
}

test('a call that is refused at once is made again twice, and says that nothing was written', async () => {
  const { sent, call } = stage([])
  await expect(call).rejects.toMatchObject({ code: 'store_away' })
  expect(sent).toEqual([false, true, true])
})

test('a call that was refused late is not cut short by a repeat, which would leave a doubt', async () => {
  const { sent, call } = stage([['store_away', 600]])
  await expect(call).rejects.toMatchObject({ code: 'store_away' })
  expect(sent).toEqual([false])
})

test('a script that failed on its way may have written something', async () => {
  const { sent, call } = stage([['internal', 10]])
  await expect(call).rejects.toMatchObject({ code: 'store_unknown' })
  expect(sent).toEqual([false])
})

test('a Redis that is refused after a lost answer takes no doubt away', async () => {
  const { call } = stage([
    ['store_unknown', 10],
    ['unsafe_redis', 10],
  ])
  await expect(call).rejects.toMatchObject({ code: 'store_unknown' })
})

test('what one send leaves in doubt no later refusal makes sure', async () => {
  const { sent, call } = stage([['store_unknown', 100]])
  await expect(call).rejects.toMatchObject({ code: 'store_unknown' })
  expect(sent).toEqual([false, true, true])
})
