/**
 * The thread that keeps this process's leases alive while the event loop is busy. Plain JavaScript
 * with a connection of its own. It renews each lease and reads its orders several times a second,
 * as long as the loop has turned within `maxBlocked`; past that it ends the process, since a lease
 * that nobody works under must not live for ever.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openConnection } from '../ioredis.js'
import { Standstill } from './standstill.js'

/** @typedef {{ worker: string, keys: string[], heard: string }} Held */
/** @type {{ connection: import('../index.js').ConnectionSettings, lease: number, maxBlocked: number, interval: number, turns: SharedArrayBuffer, now: '' | number, plain: { text: string, sha: string } }} */
const { connection, lease, maxBlocked, interval, turns, plain } = workerData
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
/** @type {Map<string, Held>} */
const held = new Map()

const redis = openConnection(connection, {
  name: 'redisdistro-lease',
  commandTimeout: Math.max(250, Math.min(lease / 3, 2000)),
})
redis.on('error', () => undefined)
// At once, and not in the next round: where connections break often, rounds might meet none for a lease.
redis.on('ready', lookAtAll)
redis.connect().catch(() => undefined)

port.on('message', (/** @type {{ hold?: Held, drop?: string, close?: true }} */ message) => {
  if (message.hold) held.set(message.hold.worker, message.hold)
  if (message.drop !== undefined) held.delete(message.drop)
  if (message.close) {
    clearInterval(timer)
    redis.disconnect()
    port.close()
  }
})

/** @param {Held} holder */
async function renew({ worker, keys, heard }) {
  const values = [...keys, '', worker, String(lease), heard]
  try {
    return await redis.evalsha(plain.sha, keys.length, ...values)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return redis.eval(plain.text, keys.length, ...values)
  }
}

/** @param {Held} holder */
async function look(holder) {
  try {
    const [word, orders = ''] = /** @type {[string, string?]} */ (await renew(holder))
    if (!held.has(holder.worker)) return
    if (word === 'lost') {
      held.delete(holder.worker)
      port.postMessage({ lost: holder.worker })
    } else if (orders !== holder.heard) {
      holder.heard = orders
      if (orders) port.postMessage({ stop: holder.worker, orders })
    }
  } catch {
    // The next round tries again, by a new connection where this one is broken or answers nothing.
  }
}

function lookAtAll() {
  for (const holder of held.values()) void look(holder)
}

const standstill = new Standstill({ turns, interval, maxBlocked })

const timer = setInterval(() => {
  standstill.look()
  lookAtAll()
}, interval)
