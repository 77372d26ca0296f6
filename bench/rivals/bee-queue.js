import { anHour, load } from './rival.js'

/**
 * The part of bee-queue that is used here.
 * @typedef {object} Job
 * @property {() => Promise<unknown>} save
 * @property {(at: number) => Job} delayUntil
 */

/**
 * @typedef {object} Queue
 * @property {() => Promise<unknown>} ready
 * @property {(data: object) => Job} createJob
 * @property {(jobs: Job[]) => Promise<Map<Job, Error>>} saveAll
 * @property {(concurrency: number, handle: (job: { data: object }) => Promise<void>) => void} process
 * @property {() => Promise<{ waiting: number, active: number }>} checkHealth
 * @property {(timeout: number) => Promise<unknown>} close
 */

const lean = {
  storeJobs: false,
  getEvents: false,
  sendEvents: false,
  removeOnSuccess: true,
  activateDelayedJobs: false,
}

/**
 * @param {import('./rival.js').Place} place
 * @param {boolean} isWorker
 * @returns {Promise<Queue>}
 */
async function openQueue({ port, queue }, isWorker) {
  const { default: Queue } = await load('bee-queue')
  const opened = new Queue(queue, { ...lean, isWorker, redis: { host: '127.0.0.1', port } })
  await opened.ready()
  return opened
}

/**
 * @param {Queue} queue
 * @param {Job[]} jobs
 */
async function save(queue, jobs) {
  const [error] = (await queue.saveAll(jobs)).values()
  if (error !== undefined) throw error
}

/** @type {import('./rival.js').Rival} */
export const beeQueue = {
  name: 'bee-queue',
  settings: [
    'save, saveAll; storeJobs, getEvents, sendEvents, activateDelayedJobs false',
    'removeOnSuccess true; producers with isWorker false; no repeated stall check',
  ],
  async producer(place) {
    const queue = await openQueue(place, false)
    const due = () => Date.now() + anHour
    return {
      one: (mail) => queue.createJob(mail).save(),
      many: (mails) =>
        save(
          queue,
          mails.map((mail) => queue.createJob(mail)),
        ),
      later: (mails) =>
        save(
          queue,
          mails.map((mail) => queue.createJob(mail).delayUntil(due())),
        ),
      close: () => queue.close(1000),
    }
  },
  async consumer(place, { concurrency, handle }) {
    const queue = await openQueue(place, true)
    return {
      go: () =>
        queue.process(concurrency, (job) =>
          handle(/** @type {import('../mail.js').Mail} */ (job.data)),
        ),
      async left() {
        const { waiting, active } = await queue.checkHealth()
        return waiting + active
      },
      close: () => queue.close(1000),
    }
  },
}
