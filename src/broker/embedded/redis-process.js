import { spawn } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { endWithThisProcess } from './guard.js'
import { ask } from './resp.js'

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {string} version the `redis_version` that it tells
 * @property {Promise<string>} exited with its exit code or signal in words
 */

/**
 * Starts a redis-server that is on loopback only and writes every change to its append-only
 * file, and waits until it answers; reading a large file back may take minutes. Rejects with the
 * server's last words where it ends before.
 * @param {object} options
 * @param {string} options.program
 * @param {string} options.directory where its data lies
 * @param {number} options.port
 * @param {() => void} options.onLoading called each second until it answers
 * @param {(child: import('node:child_process').ChildProcess) => void} options.onSpawn
 * @returns {Promise<Running>}
 */
export async function startRedis({ program, directory, port, onLoading, onSpawn }) {
  const log = join(directory, 'redis.log')
  const from = sizeOf(log)
  const out = openSync(log, 'a', 0o600)
  const child = spawn(program, redisArguments(directory, port), {
    cwd: directory,
    stdio: ['ignore', out, out],
  })
  closeSync(out)
  onSpawn(child)
  let ended = ''
  /** @type {Promise<string>} */
  const exited = new Promise((resolve) => {
    /** @param {string} how */
    const end = (how) => {
      ended = how
      resolve(how)
    }
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    child.once('error', (error) => end(error.message))
  })
  endWithThisProcess(child)
  const loading = setInterval(onLoading, 1000)
  try {
    while (ended === '') {
      const answer = await ask(port, ['PING', 'INFO server'])
      const own = child.pid !== undefined && answer?.includes(`process_id:${child.pid}\r\n`)
      if (own && answer?.startsWith('+PONG')) {
        const version = /redis_version:(\S+)/.exec(answer)?.[1] ?? 'unknown'
        return { pid: child.pid ?? 0, version, exited }
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } finally {
    clearInterval(loading)
  }
  throw new Error(startFailure({ directory, ended, words: tail(log, from) }))
}

/**
 * The port to listen on: the last one where it is free, so that an address somebody noted stays
 * right, else any free one.
 * @param {number} last 0 for none
 * @returns {Promise<number>}
 */
export async function choosePort(last) {
  return (await tryPort(last)) ?? (await tryPort(0)) ?? 0
}

/**
 * Whether one can listen on a loopback port.
 * @param {number} port
 */
export async function isFree(port) {
  return (await tryPort(port)) !== undefined
}

/**
 * @param {number} port
 * @returns {Promise<number | undefined>}
 */
function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const free = typeof address === 'object' ? address?.port : undefined
      server.close(() => resolve(free))
    })
  })
}

/**
 * @param {string} directory
 * @param {number} port
 */
function redisArguments(directory, port) {
  const settings = {
    bind: '127.0.0.1',
    port: `${port}`,
    dir: directory,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // The append-only file holds everything; snapshots beside it would only cost.
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    logfile: '',
  }
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
}

/** @param {{ directory: string, ended: string, words: string }} failure */
function startFailure({ directory, ended, words }) {
  const log = join(directory, 'redis.log')
  return [
    `The embedded redis-server did not start in ${directory} (${ended}). It said last:`,
    words.replace(/^/gm, '  '),
    `What may help: ${advice(words, directory)} The whole log is ${log}. ` +
      'With REDIS_URL set, another Redis is used instead.',
  ].join('\n')
}

/**
 * @param {string} words
 * @param {string} directory
 */
function advice(words, directory) {
  if (/bad file format|redis-check-aof|unrecoverable error/i.test(words)) {
    return (
      `the append-only file is damaged. Copy ${directory} to a safe place, then run ` +
      `'redis-check-aof --fix' on the file that is named above (it cuts off what follows the damage).`
    )
  }
  if (/permission denied|read-only file system|operation not permitted/i.test(words)) {
    return `this user must be able to read and write ${directory} and all in it.`
  }
  if (/no space left|disk quota/i.test(words)) return 'free some disk space.'
  return 'look at the words above.'
}

/** @param {string} path */
function sizeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/**
 * The last lines of a file that were written behind `from`.
 * @param {string} path
 * @param {number} from in bytes
 */
function tail(path, from) {
  const size = sizeOf(path)
  const start = Math.max(from, size - 8192)
  const bytes = Buffer.alloc(Math.max(0, size - start))
  const file = openSync(path, 'r')
  readSync(file, bytes, 0, bytes.length, start)
  closeSync(file)
  return bytes.toString('utf8').trimEnd().split('\n').slice(-8).join('\n')
}
