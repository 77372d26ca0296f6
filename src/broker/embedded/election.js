import { randomBytes } from 'node:crypto'
import { existsSync, rmdirSync, rmSync } from 'node:fs'
import { mkdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { connect, controlSockets, isPrivate, socketFolders } from './control.js'

/**
 * Opens a control socket under a name that was never used before.
 * @param {import('node:net').Server} server
 * @param {string} directory a real path
 * @returns {Promise<string>} its path
 */
export async function listen(server, directory) {
  let refused
  // Twice: a watchdog that leaves may take the emptied folder in /tmp away in between.
  const folders = socketFolders(directory)
  for (const folder of [...folders, ...folders.slice(-1)]) {
    if (folder !== directory) {
      await mkdir(folder, { mode: 0o700 }).catch(() => undefined)
      if (!(await isPrivate(folder))) throw new Error(`${folder} is not this user's alone`)
    }
    const path = join(folder, `watchdog-${randomBytes(6).toString('hex')}.sock`)
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => resolve(server.off('error', reject)))
      })
      return path
    } catch (error) {
      // A file system without sockets; the next folder is in /tmp.
      refused = error
    }
  }
  throw refused
}

/**
 * Takes a control socket away, and its folder where that was made for it and is empty.
 * @param {string} path
 * @param {string} directory a real path
 */
export function unlisten(path, directory) {
  rmSync(path, { force: true })
  if (dirname(path) === directory) return
  try {
    rmdirSync(dirname(path))
  } catch {
    // Another watchdog is in it.
  }
}

/**
 * Whether this watchdog is the one of its directory. No file says so, since a file outlives
 * kill -9: each candidate listens first and looks at the others then, so that of any two at
 * least one sees the other. An owner stays; of two candidates the lesser name stays. Sockets on
 * which nobody listens are swept away.
 * @param {string} mine the path of the socket on which this process already listens
 * @param {string} directory a real path
 * @returns {Promise<boolean>}
 */
export async function isElected(mine, directory) {
  for (;;) {
    let waiting = false
    for (const path of await controlSockets(directory)) {
      if (path === mine) continue
      const other = await askWho(path)
      if (other === 'gone') await unlink(path).catch(() => undefined)
      else if (other === 'owner' || path < mine) return false
      else waiting = true
    }
    // Between bind and listen a socket refuses too: somebody may have swept ours away.
    if (!waiting) return existsSync(mine)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/**
 * @param {string} path
 * @returns {Promise<'owner' | 'candidate' | 'gone'>}
 */
async function askWho(path) {
  // What refuses for another reason than that nobody listens is alive: do not compete with it.
  const socket = await connect(path).catch(() => null)
  if (socket === undefined) return 'gone'
  if (socket === null) return 'owner'
  return new Promise((resolve) => {
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      answer += text
    })
    // One that is stopped (SIGSTOP) does not answer, yet its server runs.
    socket.setTimeout(2000, () => resolve('owner'))
    socket.on('close', () => resolve(answer === 'owner\n' ? 'owner' : 'candidate'))
    socket.write('who\n')
  })
}
