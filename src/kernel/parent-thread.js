/**
 * The thread that ends a process which runs a task alone once its parent is no more: nobody hears
 * what the task comes to, and a handler that blocks the event loop hears nothing of it either. It
 * ends it for a loop that stands still as well, as the thread of leases does in a kernel.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Standstill } from '../broker/keeper/standstill.js'

/** @type {{ parent: number, interval: number, turns: SharedArrayBuffer }} */
const { parent, interval, turns } = workerData
/** @type {Standstill | undefined} */
let standstill

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
// Known once the config is read.
port.on('message', (/** @type {{ maxBlocked: number }} */ { maxBlocked }) => {
  standstill = new Standstill({ turns, interval, maxBlocked })
})

/** Whoever lost its parent has another one by now; on Windows it keeps a number that nobody has. */
function isOrphan() {
  if (process.ppid !== parent) return true
  if (process.platform !== 'win32') return false
  try {
    process.kill(parent, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

setInterval(() => {
  if (isOrphan()) process.kill(process.pid, 'SIGKILL')
  standstill?.look()
}, interval)
