// A process that speaks to Redis through the product's client library alone.
import { Redis } from 'ioredis'
import { mails } from '../mail.js'
import { clock, nodeCpu, serve } from './serve.js'

/** @typedef {import('../mail.js').Mail} Mail */

/** As many as the engine puts into a script call, and as many calls as it has under way. */
const chunk = 250
const abreast = 4
const inFlight = 100

/** @type {Redis} */
let redis
let sha = ''
let pushed = 0

/** @param {{ port: number }} order */
async function open({ port }) {
  redis = new Redis(port, '127.0.0.1')
  sha = /** @type {string} */ (await redis.script('LOAD', 'return 1'))
}

/** @param {Mail[]} mails one */
const evaluate = ([mail]) => redis.evalsha(sha, 0, JSON.stringify(mail))

/** @param {Mail[]} mails */
async function push(mails) {
  /** @type {string[]} */
  const fields = []
  /** @type {(string | number)[]} */
  const scores = []
  for (const mail of mails) {
    pushed++
    fields.push(`${pushed}`, JSON.stringify(mail))
    scores.push(pushed, `${pushed}`)
  }
  await Promise.all([redis.hset('raw:tasks', ...fields), redis.zadd('raw:line', ...scores)])
}

/** @param {Mail[]} mails as many as are popped */
async function pop({ length }) {
  const popped = await redis.zpopmin('raw:line', length)
  const ids = popped.filter((_, index) => index % 2 === 0)
  const bodies = await redis.hmget('raw:tasks', ...ids)
  for (const body of bodies) JSON.parse(body ?? '')
  await redis.hdel('raw:tasks', ...ids)
}

/**
 * So many calls under way, each for so many mails.
 * @typedef {{ lanes: number, step: number }} Plan
 */

/**
 * An answer that tells what it takes to make a call for each part of the mails.
 * @param {Plan} plan
 * @param {(mails: Mail[]) => Promise<unknown>} call
 */
function timed({ lanes, step }, call) {
  return async (/** @type {{ count: number }} */ { count }) => {
    const all = mails(count)
    let next = 0
    const lane = async () => {
      for (let from = next; from < count; from = next) {
        next = from + step
        await call(all.slice(from, next))
      }
    }
    const cpu = nodeCpu()
    const began = clock()
    await Promise.all(Array.from({ length: lanes }, lane))
    return { seconds: clock() - began, cpu: nodeCpu() - cpu }
  }
}

serve({
  open,
  one: timed({ lanes: 1, step: 1 }, evaluate),
  flight: timed({ lanes: inFlight, step: 1 }, evaluate),
  push: timed({ lanes: abreast, step: chunk }, push),
  pop: timed({ lanes: 1, step: chunk }, pop),
})
