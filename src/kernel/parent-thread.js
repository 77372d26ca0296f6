/**
 * The thread that ends a process which runs a task alone once its parent is no more: nobody hears
 * what the task comes to, and a handler that blocks the event loop hears nothing of it either.
 */
import { workerData } from 'node:worker_threads'

/** @type {{ parent: number, interval: number }} */
const { parent, interval } = workerData

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
}, interval)
