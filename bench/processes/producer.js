// A process that enqueues, and tells what that took.
import { setTimeout as sleep } from 'node:timers/promises'
import { mail, mails } from '../mail.js'
import { rivalNamed } from '../rivals/index.js'
import { clock, nodeCpu, serve } from './serve.js'

/** @typedef {import('../mail.js').Mail} Mail */
/** @typedef {import('../rivals/rival.js').Place} Place */
/** @typedef {import('../rivals/rival.js').Producer} Producer */
/** @typedef {import('../rivals/rival.js').Manner} Manner */

const inFlight = 100
/** Tasks handed over in one call of bulk. */
const bulk = 1000

/** @type {Producer} */
let producer

/** @type {Record<Manner, (producer: Producer, all: Mail[]) => Promise<unknown>>} */
const manners = {
  async one(to, all) {
    for (const mail of all) await to.one(mail)
  },
  flight(to, all) {
    let next = 0
    const lane = async () => {
      for (let mail = all[next++]; mail !== undefined; mail = all[next++]) await to.one(mail)
    }
    return Promise.all(Array.from({ length: inFlight }, lane))
  },
  async bulk(to, all) {
    for (let i = 0; i < all.length; i += bulk) await to.many(all.slice(i, i + bulk))
  },
}

/** @param {{ rival: string, place: Place, manner: Manner, warmup: number }} order */
async function open({ rival, place, manner, warmup }) {
  const { producer: openProducer } = await rivalNamed(rival)
  if (warmup > 0) {
    const other = await openProducer({ ...place, queue: `${place.queue}-warm` }, manner)
    await manners[manner](other, mails(warmup))
    await other.close()
  }
  producer = await openProducer(place, manner)
}

/**
 * The mails are made before the clock starts.
 * @param {{ manner: Manner, count: number }} order
 */
async function enqueue({ manner, count }) {
  const all = mails(count)
  const cpu = nodeCpu()
  const began = clock()
  await manners[manner](producer, all)
  return { seconds: clock() - began, cpu: nodeCpu() - cpu }
}

/**
 * Enqueues without being measured, however many.
 * @param {{ count: number, due: 'now' | 'later' | number }} order a number in ms since the epoch
 */
async function fill({ count, due }) {
  for (let i = 0; i < count; i += bulk) {
    const some = mails(Math.min(bulk, count - i), i)
    if (typeof due === 'number') await producer.at?.(some, due)
    else await (due === 'now' ? producer.many(some) : producer.later(some))
  }
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

/**
 * Tasks due one after the other, each mail telling in its subject when, by the shared clock.
 * @param {{ count: number, lead: number, over: number }} order ms until the first, ms from first to last
 */
async function schedule({ count, lead, over }) {
  const ahead = wallAhead()
  const first = Date.now() + lead
  for (let i = 0; i < count; i++) {
    const due = first + Math.round((i / count) * over)
    await producer.at?.([{ ...mail(i), subject: `${due / 1000 - ahead}` }], due)
  }
}

/** How many seconds the wall clock is ahead of `clock`, read when its ms changes. */
function wallAhead() {
  const before = Date.now()
  let wall = before
  while (wall === before) wall = Date.now()
  return wall / 1000 - clock()
}

serve({ open, enqueue, fill, ping, schedule, close: () => producer.close() })
