// What the watchdog and its users share: where control sockets lie, and what is said on them.
//
// A user says `hold` and keeps the connection: that is its hold, and the kernel closes it on
// kill -9. It hears one JSON line at a time: { loading }, then { url, version, watchdog, redis },
// or { error }. One that leaves of its own will says `bye` before it closes. A watchdog asks another
// `who` and hears `owner` or `candidate`.
import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'

/**
 * @typedef {object} Ready The server answers.
 * @property {string} url `redis://127.0.0.1:<port>`
 * @property {string} version the `redis_version` that the server tells
 * @property {number} watchdog the watchdog's pid
 * @property {number} redis the server's pid
 *
 * @typedef {Ready | { loading: true } | { error: string }} Answer
 */

// sun_path holds 108 bytes on Linux and 104 on macOS.
const longestPath = 100
const socketName = /^watchdog-[0-9a-f]{12}\.sock$/

/**
 * The folders in which the sockets of a data directory may lie, in order of preference: the
 * directory itself, or a private folder where its path is too long or its file system has no
 * sockets. Not in `os.tmpdir()`: two users with another TMPDIR must meet.
 * @param {string} directory a real path
 */
export function socketFolders(directory) {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const apart = `/tmp/redisdistro-${process.getuid?.() ?? 0}-${hash}`
  const longest = Buffer.byteLength(join(directory, `watchdog-${'0'.repeat(12)}.sock`))
  return longest <= longestPath ? [directory, apart] : [apart]
}

/**
 * The control sockets that lie there, live or stale.
 * @param {string} directory a real path
 */
export async function controlSockets(directory) {
  const found = []
  for (const folder of socketFolders(directory)) {
    if (folder !== directory && !(await isPrivate(folder))) continue
    const names = await readdir(folder).catch(() => [])
    found.push(...names.filter((name) => socketName.test(name)).map((name) => join(folder, name)))
  }
  return found
}

/**
 * Whether a folder is this user's alone; one in /tmp may be somebody's trap.
 * @param {string} folder
 */
export async function isPrivate(folder) {
  try {
    const stat = await lstat(folder)
    const own = process.getuid === undefined || stat.uid === process.getuid()
    return stat.isDirectory() && own && (stat.mode & 0o077) === 0
  } catch {
    return false
  }
}

/**
 * A connection to a control socket; undefined where nobody listens any more.
 * @param {string} path
 * @returns {Promise<import('node:net').Socket | undefined>}
 */
export function connect(path) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.on('error', () => undefined)
    socket.once('connect', () => resolve(socket.off('error', failed)))
    socket.once('error', failed)
    /** @param {NodeJS.ErrnoException} error */
    function failed(error) {
      const gone = error.code === 'ECONNREFUSED' || error.code === 'ENOENT'
      if (gone) resolve(undefined)
      else reject(error)
    }
  })
}
