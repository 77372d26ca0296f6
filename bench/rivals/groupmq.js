import { anHour, load } from './rival.js'

/**
 * The part of groupmq that is used here.
 * @typedef {object} Queue
 * @property {(job: object) => Promise<unknown>} add
 * @property {() => Promise<{ waiting: number, active: number }>} getJobCounts
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} Worker
 * @property {() => Promise<unknown>} run
 * @property {(timeout: number) => Promise<unknown>} close
 */

/**
 * Tasks of one group run one after the other, and the next one of a group is taken together with the
 * end of the last: it drains best with as many groups as tasks that run at once.
 * @param {import('./rival.js').Place} place
 */
function groupsOf({ abreast = 50 }) {
  let turn = 0
  return () => `group-${turn++ % abreast}`
}

/** Bulk is joined by the queue itself; waiting for company would only slow single calls. */
const joined = { autoBatch: { size: 100, maxWaitMs: 5 } }

/**
 * @param {import('./rival.js').Place} place
 * @param {import('./rival.js').Manner} [manner]
 * @returns {Promise<{ queue: Queue, redis: { disconnect(): void } }>}
 */
async function openQueue({ port, queue }, manner = 'one') {
  const [{ Queue }, { Redis }] = await Promise.all([load('groupmq'), load('ioredis')])
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null })
  const batching = manner === 'one' ? {} : joined
  return { queue: new Queue({ redis, namespace: queue, keepCompleted: 0, ...batching }), redis }
}

/** @type {import('./rival.js').Rival} */
export const groupmq = {
  name: 'groupmq',
  settings: [
    'add; as many groups as tasks run at once; keepCompleted 0; no ordering delay',
    'autoBatch { size: 100, maxWaitMs: 5 } for 100 in flight and bulk, off one by one',
  ],
  async producer(place, manner) {
    const { queue, redis } = await openQueue(place, manner)
    const groupId = groupsOf(place)
    return {
      one: (data) => queue.add({ groupId: groupId(), data }),
      many: (mails) => Promise.all(mails.map((data) => queue.add({ groupId: groupId(), data }))),
      later: (mails) =>
        Promise.all(mails.map((data) => queue.add({ groupId: groupId(), data, delay: anHour }))),
      async close() {
        await queue.close()
        redis.disconnect()
      },
    }
  },
  async consumer(place, { concurrency, handle }) {
    const { Worker } = await load('groupmq')
    const { queue, redis } = await openQueue(place)
    /** @type {Worker} */
    const worker = new Worker({
      queue,
      concurrency,
      handler: (/** @type {{ data: import('../mail.js').Mail }} */ job) => handle(job.data),
    })
    /** @type {Promise<unknown> | undefined} */
    let running
    return {
      go() {
        running = worker.run()
      },
      async left() {
        const { waiting, active } = await queue.getJobCounts()
        return waiting + active
      },
      async close() {
        await worker.close(1000)
        await running
        await queue.close()
        redis.disconnect()
      },
    }
  },
}
