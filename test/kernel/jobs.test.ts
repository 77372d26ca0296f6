import { definePlugin, defineTask, FatalError } from 'redisdistro'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { until } from '../support/until.js'
import { kernelOf, testConfig } from './stage.js'

const fall = defineTask({
  type: 'fall',
  payload: z.object({}),
  handle: () => {
    throw new FatalError('it fell')
  },
})

test('a kernel in any role does the jobs that are there, and lets go of them when it stops', async () => {
  const plugins = [definePlugin({ name: 'falls', tasks: [fall] })]
  const config = testConfig({ http: false, plugins })
  const worker = await kernelOf(config)
  await worker.client.enqueueMany('fall', [{}, {}, {}])
  await worker.start({ roles: ['worker'] })
  const depth = async () => (await worker.operator.queue('default')).depth
  await until(async () => (await depth()).dead === 3, { describe: 'three dead letters' })
  await worker.operator.pause('default')
  const { id } = await worker.operator.startRequeue('dead', {}, '1/h')
  await until(async () => (await worker.operator.job(id))?.done === 1, {
    describe: 'the first to go back',
  })
  await worker.stop()

  const producer = await kernelOf(config)
  const job = () => producer.operator.job(id)
  expect(await job()).toMatchObject({ state: 'running', held: false, done: 1, total: 3 })
  await producer.start({ roles: ['producer'] })
  await until(async () => (await job())?.held === true, { describe: 'another to take it' })
  await producer.operator.stopJob(id)
  await until(async () => (await job())?.state === 'stopped', { describe: 'it to stop' })
})
