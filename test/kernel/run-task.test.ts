import { defineTask, FatalError, RetryError } from 'redisdistro'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { runTask } from '../../src/testing.js'
import { failureOf } from './project.js'

const size = defineTask({
  type: 'size',
  payload: z.object({ text: z.string(), times: z.int().default(2) }),
  retry: { attempts: 3, backoff: 'fixed', delay: '7s' },
  timeout: '1m',
  async handle({ text, times }, { task, log, progress }) {
    log.info('measured', { attempt: task.attempt })
    await progress(0.5)
    if (text === 'fatal') throw new FatalError('no')
    if (text === 'later') throw new RetryError('busy', { after: '30s' })
    if (text === 'fail') throw new Error('oops')
    return { length: text.length * times }
  },
})

test('a handler runs with its parsed payload, and its result is typed', async () => {
  const run = await runTask(size, { text: 'abc' })
  expectTypeOf(run.result).toEqualTypeOf<{ length: number } | undefined>()
  expect(run).toEqual({
    outcome: 'complete',
    result: { length: 6 },
    logs: [{ level: 'info', message: 'measured', fields: { attempt: 1 } }],
    progress: [0.5],
  })
})

test('a payload that does not fit is refused with its issues', async () => {
  // @ts-expect-error: text is missing
  const error = await failureOf(runTask(size, { times: 1 }))
  expect(error).toMatchObject({ code: 'bad_payload', issues: [{ path: 'text' }] })
})

test('what a handler throws decides what follows, as in a worker', async () => {
  expect(await runTask(size, { text: 'fail' })).toMatchObject({ outcome: 'retry', after: 7000 })
  expect(await runTask(size, { text: 'fail' }, { attempt: 3 })).toMatchObject({ outcome: 'bury' })
  expect(await runTask(size, { text: 'later' })).toMatchObject({ outcome: 'retry', after: 30_000 })
  const buried = await runTask(size, { text: 'fatal' })
  expect(buried).toMatchObject({ outcome: 'bury', error: { message: 'no' } })
})

test('the signal tells of a timeout, and the run fails with it', async () => {
  const slow = defineTask({
    type: 'slow',
    payload: z.object({}),
    timeout: 20,
    handle: (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      ),
  })
  expect(await runTask(slow, {})).toMatchObject({ outcome: 'retry', error: { code: 'timeout' } })
})

test('a signal of the test reaches the handler, and so does a stand-in of the task', async () => {
  const seen = defineTask({
    type: 'seen',
    payload: z.object({}),
    handle: (_, { signal, task }) => ({ aborted: signal.aborted, id: task.id, type: task.type }),
  })
  const run = await runTask(seen, {}, { signal: AbortSignal.abort(), task: { id: 'x' } })
  expect(run.result).toEqual({ aborted: true, id: 'x', type: 'seen' })
})
