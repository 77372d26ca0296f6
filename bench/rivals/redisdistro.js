import { z } from 'zod'
import { createKernel, defineConfig, definePlugin, defineTask } from '../../dist/src/index.js'
import { startTracing } from '../tracing.js'
import { anHour } from './rival.js'

/**
 * The config for a place, with a no-op task whose schema is checked when it is enqueued and again
 * before it runs.
 * @param {import('./rival.js').Place} place
 * @param {import('./rival.js').Work} work
 */
function kernelOf({ port, queue, nodes, partitions = 1 }, { concurrency, handle }) {
  const task = defineTask({
    type: 'mail',
    payload: z.object({ to: z.email(), subject: z.string().min(1), body: z.string() }),
    queue,
    handle,
  })
  const plugin = definePlugin({ name: 'bench', tasks: [task] })
  const config = defineConfig({
    redis: nodes
      ? { cluster: { nodes: nodes.map((node) => ({ host: '127.0.0.1', port: node })) } }
      : { url: `redis://127.0.0.1:${port}` },
    plugins: [plugin],
    queues: { [queue]: { concurrency, partitions, retention: { completed: { count: 0 } } } },
    http: false,
  })
  return createKernel(config, { env: { LOG_LEVEL: 'error' } })
}

const idle = { concurrency: 1, handle: async () => undefined }

/** @type {import('./rival.js').Rival} */
export const redisdistro = {
  name: 'redisdistro',
  settings: [
    'enqueue, enqueueMany; schema checked by client and worker',
    'retention.completed.count 0; http false; all else as it comes',
  ],
  async producer(place) {
    if (place.sampled !== undefined) await startTracing(place.sampled)
    const kernel = await kernelOf(place, idle)
    const { client } = kernel
    return {
      one: (mail) => client.enqueue('mail', mail),
      many: (mails) => client.enqueueMany('mail', mails),
      later: (mails) => client.enqueueMany('mail', mails, { delay: anHour }),
      at: (mails, due) => client.enqueueMany('mail', mails, { runAt: due }),
      close: () => kernel.stop(),
    }
  },
  async consumer(place, work) {
    if (place.sampled !== undefined) await startTracing(place.sampled)
    const kernel = await kernelOf(place, work)
    // Paused, so that the worker stands ready with its lease and takes nothing yet.
    await kernel.operator.pause(place.queue)
    await kernel.start({ roles: ['worker'] })
    return {
      go: () => kernel.operator.resume(place.queue),
      async left() {
        const { depth } = await kernel.operator.queue(place.queue)
        return depth.waiting + depth.active
      },
      close: () => kernel.stop(),
    }
  },
}
