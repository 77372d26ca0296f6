// A process that runs tasks, and tells how many and what that took.
import { setTimeout as sleep } from 'node:timers/promises'
import { mails } from '../mail.js'
import { rivalNamed } from '../rivals/index.js'
import { clock, nodeCpu, serve } from './serve.js'

/** @typedef {import('../rivals/rival.js').Place} Place */
/** @typedef {import('../rivals/rival.js').Consumer} Consumer */
/** @typedef {import('../rivals/rival.js').Rival} Rival */
/** @typedef {{ rival: string, place: Place, concurrency: number, warmup: number, work?: number, timed?: boolean }} Order */

/** @type {Consumer} */
let consumer
let handled = 0
let lastAt = 0
let cpuBefore = 0
let openedAt = 0
/** @type {number[]} */
const latencies = []

/**
 * The handler: nothing, or `work` ms of waiting.
 * @param {Order} order
 */
function handlerOf({ work = 0, timed = false }) {
  return async (/** @type {import('../mail.js').Mail} */ { subject }) => {
    if (timed) latencies.push(clock() - Number(subject))
    if (work > 0) await sleep(work)
    handled++
    lastAt = clock()
  }
}

/**
 * Lets the code be compiled, and the pools be filled, by tasks of another queue.
 * @param {Rival} rival
 * @param {Order} order
 */
async function warmUp(rival, { place, concurrency, warmup }) {
  const other = { ...place, queue: `${place.queue}-warm` }
  const producer = await rival.producer(other, 'bulk')
  let seen = 0
  const handle = async () => {
    seen++
  }
  const warm = await rival.consumer(other, { concurrency, handle })
  await warm.go()
  await producer.many(mails(warmup))
  while (seen < warmup || (await warm.left()) > 0) await sleep(5)
  await warm.close()
  await producer.close()
}

/** @param {Order} order */
async function open(order) {
  const rival = await rivalNamed(order.rival)
  if (order.warmup > 0) await warmUp(rival, order)
  const handle = handlerOf(order)
  consumer = await rival.consumer(order.place, { concurrency: order.concurrency, handle })
}

async function go() {
  cpuBefore = nodeCpu()
  openedAt = clock()
  await consumer.go()
}

/** Resolves once Redis holds nothing of the queue that waits or runs. */
async function settle() {
  while ((await consumer.left()) > 0) await sleep(2)
}

serve({
  open,
  go,
  count: () => ({ handled, lastAt, openedAt }),
  settle,
  cpu: () => nodeCpu() - cpuBefore,
  latencies: () => latencies,
  close: () => consumer.close(),
})
