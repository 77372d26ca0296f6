// A process that speaks to Redis through the product's client library alone.
import { Redis } from 'ioredis'
import { mail } from '../mail.js'
import { clock, nodeCpu, serve } from './serve.js'

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

const evaluate = (/** @type {number} */ i) => redis.evalsha(sha, 0, JSON.stringify(mail(i)))

/** @param {number} size */
async function push(size) {
  const fields = []
  const scores = []
  for (let i = 0; i < size; i++) {
    const id = `${pushed++}`
    fields.push(id, JSON.stringify(mail(pushed)))
    scores.push(pushed, id)
  }
  await Promise.all([redis.hset('raw:tasks', ...fields), redis.zadd('raw:line', ...scores)])
}

/** @param {number} size */
async function pop(size) {
  const popped = await redis.zpopmin('raw:line', size)
  const ids = popped.filter((_, index) => index % 2 === 0)
  const bodies = await redis.hmget('raw:tasks', ...ids)
  for (const body of bodies) JSON.parse(body ?? '')
  await redis.hdel('raw:tasks', ...ids)
}

/**
 * Calls for all numbers below `count`, in steps, with so many calls under way.
 * @param {{ count: number, lanes: number, step: number }} plan
 * @param {(from: number, size: number) => Promise<unknown>} call
 */
async function over({ count, lanes, step }, call) {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const from = next
      next += step
      await call(from, Math.min(step, count - from))
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** @type {(plan: { lanes: number, step: number }, call: (from: number, size: number) => Promise<unknown>) => (order: { count: number }) => Promise<{ seconds: number, cpu: number }>} */
const timed =
  (plan, call) =>
  async ({ count }) => {
    const cpu = nodeCpu()
    const began = clock()
    await over({ ...plan, count }, call)
    return { seconds: clock() - began, cpu: nodeCpu() - cpu }
  }

serve({
  open,
  one: timed({ lanes: 1, step: 1 }, evaluate),
  flight: timed({ lanes: inFlight, step: 1 }, evaluate),
  push: timed({ lanes: abreast, step: chunk }, (_, size) => push(size)),
  pop: timed({ lanes: 1, step: chunk }, (_, size) => pop(size)),
})
