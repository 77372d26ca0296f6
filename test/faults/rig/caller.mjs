// A service without a config, that enqueues by `redisdistro/client`. It is told what to enqueue on
// stdin, a line of JSON each, and says on stdout what came of it.
import { createInterface } from 'node:readline'

const { FAULTS_CLIENT = '', FAULTS_REDIS = '' } = process.env
const { createClient } = await import(FAULTS_CLIENT)
const client = createClient({ redis: JSON.parse(FAULTS_REDIS) })
const say = (/** @type {object} */ words) => console.log(JSON.stringify(words))

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { key, type, payload, options } = JSON.parse(line)
  try {
    say({ key, clock: Date.now(), task: await client.enqueue(type, payload, options) })
  } catch (error) {
    say({ key, clock: Date.now(), error: `${error}` })
  }
})
