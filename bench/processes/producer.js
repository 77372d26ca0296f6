// A process that enqueues, and tells what that took.
import { setTimeout as sleep } from 'node:timers/promises'
import { mail, mails } from '../mail.js'
import { rivalNamed } from '../rivals/index.js'
import { clock, nodeCpu, serve } from './serve.js'

/** @typedef {import('../rivals/rival.js').Place} Place */
/** @typedef {import('../rivals/rival.js').Producer} Producer */
/** @typedef {import('../rivals/rival.js').Manner} Manner */

const inFlight = 100
/** Tasks handed over in one call of bulk. */
const bulk = 1000

/** @type {Producer} */
let producer

/** @type {Record<Manner, (producer: Producer, count: number) => Promise<unknown>>} */
const manners = {
  async one(to, count) {
    for (let i = 0; i < count; i++) await to.one(mail(i))
  },
  flight(to, count) {
    let next = 0
    const lane = async () => {
      while (next < count) await to.one(mail(next++))
    }
    return Promise.all(Array.from({ length: inFlight }, lane))
  },
  async bulk(to, count) {
    for (let i = 0; i < count; i += bulk) await to.many(mails(Math.min(bulk, count - i), i))
  },
}

/** @param {{ rival: string, place: Place, manner: Manner, warmup: number }} order */
async function open({ rival, place, manner, warmup }) {
  const { producer: openProducer } = await rivalNamed(rival)
  if (warmup > 0) {
    const other = await openProducer({ ...place, queue: `${place.queue}-warm` }, manner)
    await manners[manner](other, warmup)
    await other.close()
  }
  producer = await openProducer(place, manner)
}

/** @param {{ manner: Manner, count: number }} order */
async function enqueue({ manner, count }) {
  const cpu = nodeCpu()
  const began = clock()
  await manners[manner](producer, count)
  return { seconds: clock() - began, cpu: nodeCpu() - cpu }
}

/** @param {{ count: number }} order */
async function later({ count }) {
  for (let i = 0; i < count; i += bulk) await producer.later(mails(Math.min(bulk, count - i), i))
}

/**
 * One by one with a pause, each mail telling in its subject when it was sent.
 * @param {{ count: number, pause: number }} order pause in ms
 */
async function ping({ count, pause }) {
  for (let i = 0; i < count; i++) {
    await sleep(pause)
    const sent = mail(i)
    await producer.one({ ...sent, subject: `${clock()}` })
  }
}

serve({ open, enqueue, later, ping, close: () => producer.close() })
