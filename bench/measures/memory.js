import { openChild } from '../child.js'
import { rivalNames } from '../rivals/index.js'
import { queue } from './measure.js'

/** @typedef {import('./measure.js').Bench} Bench */

/**
 * How Redis's memory grows with each task, once whoever enqueued has gone.
 * @param {Bench} bench
 * @param {string} rival
 * @param {'now' | 'later'} due
 */
async function bytesPerTask({ redis, sizes }, rival, due) {
  await redis.clear()
  const { memory: before } = await redis.usage()
  const producer = await openChild('producer')
  try {
    await producer.ask('open', {
      rival,
      place: { port: redis.port, queue },
      manner: 'bulk',
      warmup: 0,
    })
    await producer.ask('fill', { count: sizes.memory, due })
    await producer.ask('close')
  } finally {
    await producer.end()
  }
  const { memory: after } = await redis.usage()
  return (after - before) / sizes.memory
}

/** @type {import('./measure.js').Measure} */
export const memory = {
  name: 'memory',
  says: 'memory in Redis for each task of 200 bytes',
  contenders: rivalNames,
  baseline: 'bullmq',
  figures: [
    { key: 'waiting', label: 'bytes, waiting', less: true },
    { key: 'delayed', label: 'bytes, delayed', less: true },
  ],
  run: async (bench, rival) => ({
    waiting: await bytesPerTask(bench, rival, 'now'),
    delayed: await bytesPerTask(bench, rival, 'later'),
  }),
}
