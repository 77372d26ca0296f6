import { anHour, load } from './rival.js'

/**
 * The part of BullMQ that is used here.
 * @typedef {object} Queue
 * @property {() => Promise<unknown>} waitUntilReady
 * @property {(name: string, data: object) => Promise<unknown>} add
 * @property {(jobs: { name: string, data: object, opts?: object }[]) => Promise<unknown>} addBulk
 * @property {(...states: string[]) => Promise<number>} getJobCountByTypes
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} Worker
 * @property {() => Promise<unknown>} waitUntilReady
 * @property {() => Promise<unknown>} run
 * @property {(force: boolean) => Promise<unknown>} close
 */

/** @param {number} port */
const connection = (port) => ({ host: '127.0.0.1', port, maxRetriesPerRequest: null })

/**
 * @param {import('./rival.js').Place} place
 * @returns {Promise<Queue>}
 */
async function openQueue({ port, queue }) {
  const { Queue } = await load('bullmq')
  const opened = new Queue(queue, {
    connection: connection(port),
    defaultJobOptions: { removeOnComplete: true },
  })
  await opened.waitUntilReady()
  return opened
}

/** @type {import('./rival.js').Rival} */
export const bullmq = {
  name: 'bullmq',
  settings: [
    'add, addBulk; removeOnComplete true; on ioredis; no telemetry, no metrics',
    'lock, stalled check and drain delay as they come',
  ],
  async producer(place) {
    const queue = await openQueue(place)
    return {
      one: (data) => queue.add('mail', data),
      many: (mails) => queue.addBulk(mails.map((data) => ({ name: 'mail', data }))),
      later: (mails) =>
        queue.addBulk(mails.map((data) => ({ name: 'mail', data, opts: { delay: anHour } }))),
      close: () => queue.close(),
    }
  },
  async consumer(place, { concurrency, handle }) {
    const { Worker } = await load('bullmq')
    const queue = await openQueue(place)
    /** @type {Worker} */
    const worker = new Worker(
      place.queue,
      (/** @type {{ data: import('../mail.js').Mail }} */ job) => handle(job.data),
      { connection: connection(place.port), concurrency, autorun: false },
    )
    await worker.waitUntilReady()
    /** @type {Promise<unknown> | undefined} */
    let running
    return {
      go() {
        running = worker.run()
      },
      left: () => queue.getJobCountByTypes('waiting', 'active'),
      async close() {
        await worker.close(false)
        await running
        await queue.close()
      },
    }
  },
}
