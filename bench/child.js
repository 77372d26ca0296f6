import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Of one call to a child, in ms; what hangs is killed, and its measure fails alone. */
const patience = 600_000

/**
 * A fresh process that answers calls.
 * @typedef {object} Child
 * @property {<Result>(call: string, argument?: object) => Promise<Result>} ask
 * @property {() => Promise<void>} end
 */

/**
 * Starts a program of bench/processes.
 * @param {'producer' | 'consumer' | 'raw'} program
 * @returns {Promise<Child>}
 */
export async function openChild(program) {
  const child = fork(fileURLToPath(new URL(`./processes/${program}.js`, import.meta.url)), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    words = `${words}${text}`.slice(-2000)
  })
  /** @type {Map<number, { resolve: (result: never) => void, reject: (error: Error) => void }>} */
  const open = new Map()
  const fail = (/** @type {string} */ reason) => {
    for (const { reject } of open.values()) reject(new Error(`${program}: ${reason}\n${words}`))
    open.clear()
  }
  child.on('exit', (code, signal) => fail(`ended with ${signal ?? code}`))
  child.on('message', (/** @type {{ id: number, result: unknown, failure?: string }} */ answer) => {
    const call = open.get(answer.id)
    open.delete(answer.id)
    if (answer.failure === undefined) call?.resolve(/** @type {never} */ (answer.result))
    else call?.reject(new Error(answer.failure))
  })
  await Promise.race([once(child, 'message'), once(child, 'exit')])
  let next = 0
  return {
    ask(call, argument = {}) {
      return new Promise((resolve, reject) => {
        if (!child.connected) {
          reject(new Error(`${program} has ended\n${words}`))
          return
        }
        const id = next++
        const late = setTimeout(() => child.kill('SIGKILL'), patience)
        /** @type {<Value>(settle: (value: Value) => void) => (value: Value) => void} */
        const inTime = (settle) => (value) => {
          clearTimeout(late)
          settle(value)
        }
        open.set(id, { resolve: inTime(resolve), reject: inTime(reject) })
        child.send({ id, call, argument })
      })
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
