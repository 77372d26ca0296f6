// The small process beside an embedded redis-server: starts it, starts it again where it dies,
// and ends it with its last user. `node watchdog.js <directory> <program>`, both real paths.
//
// Plain JavaScript, since it runs as a process of its own from src/ and from dist/ alike.
//
// - election.js sees to it that one watchdog serves a directory; a second one leaves (exit 0)
// - each user holds one connection to the control socket; the kernel closes it on kill -9
// - guard.js ends redis-server when this process is killed
// - redis.json names address and pids for people, and keeps the port for the next start
import { readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isElected, listen, unlisten } from './election.js'
import { choosePort, isFree, startRedis } from './redis-process.js'
import { ask, untilClosed } from './resp.js'

// A killed user is started again within this, and commands follow each other; a service that stayed
// longer than a command and said goodbye was stopped for good.
const unusedAfter = 1500
const longestCommand = 2000
const firstUserWithin = 10_000
const pause = 100
const restarts = 5
const otherPorts = 3
const slowestEnd = 30_000
const longestLog = 5_000_000

const [directory = '', program = ''] = process.argv.slice(2)
const stateFile = join(directory, 'redis.json')

/** @type {Set<import('node:net').Socket>} */
const users = new Set()
/** @type {import('./control.js').Answer | undefined} */
let answer
/** @type {import('node:child_process').ChildProcess | undefined} */
let redis
/** @type {NodeJS.Timeout | undefined} */
let unused
let owner = false
let ending = false
let socketPath = ''

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  socket.setEncoding('utf8')
  socket.once('data', (word) => {
    if (`${word}` === 'who\n') socket.end(owner ? 'owner\n' : 'candidate\n')
    else addUser(socket)
  })
})

/** @param {import('node:net').Socket} socket */
function addUser(socket) {
  users.add(socket)
  clearTimeout(unused)
  const since = performance.now()
  let said = ''
  socket.on('data', (word) => {
    said = `${said}${word}`.slice(-4)
  })
  socket.once('close', () => {
    users.delete(socket)
    const left = said === 'bye\n' && performance.now() - since > longestCommand
    if (users.size === 0) endUnlessUsed(left ? 0 : unusedAfter)
  })
  if (answer !== undefined) socket.write(`${JSON.stringify(answer)}\n`)
}

/** @param {number} wait in ms */
function endUnlessUsed(wait) {
  clearTimeout(unused)
  unused = setTimeout(() => {
    if (users.size > 0 || ending) return
    ending = true
    log('nobody uses this server any more: ending it')
    if (redis === undefined) leave(0)
    // It writes its file out first; a disk that hangs must not keep it for ever.
    redis?.kill('SIGTERM')
    setTimeout(() => redis?.kill('SIGKILL'), slowestEnd)
  }, wait)
}

/** @param {import('./control.js').Answer} next */
function tellUsers(next) {
  if (!('loading' in next)) answer = next
  for (const user of users) user.write(`${JSON.stringify(next)}\n`)
}

/** @param {number} port */
function start(port) {
  return startRedis({
    program,
    directory,
    port,
    onLoading: () => tellUsers({ loading: true }),
    onSpawn(child) {
      redis = child
      const url = `redis://127.0.0.1:${port}`
      const state = { url, port, redis: child.pid, watchdog: process.pid }
      writeFileSync(`${stateFile}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 })
      renameSync(`${stateFile}.new`, stateFile)
    },
  })
}

/** Keeps the server running on one port until the last user is gone. */
async function serve() {
  const last = lastPort()
  await endLeftOver(last)
  let port = await choosePort(last)
  let failures = 0
  while (!ending) {
    try {
      const { version, pid, exited } = await start(port)
      failures = 0
      tellUsers({ url: `redis://127.0.0.1:${port}`, version, watchdog: process.pid, redis: pid })
      const how = await exited
      if (!ending) log(`redis-server ended by itself (${how}): starting it again`)
    } catch (error) {
      if (ending) return
      failures++
      // Users know the address once it was told; until then any free port will do.
      const told = answer !== undefined
      const again = told ? failures <= restarts : failures <= otherPorts && !(await isFree(port))
      if (!again) throw error
      if (!told) port = await choosePort(0)
    }
    await new Promise((resolve) => setTimeout(resolve, pause * failures))
  }
}

/**
 * Ends a redis-server that works in this directory without a watchdog (both it and its guard were
 * killed): two servers that write one append-only file would ruin it.
 * @param {number} port
 */
async function endLeftOver(port) {
  if (port === 0) return
  const said = await ask(port, ['CONFIG GET dir'])
  if (!said?.split('\r\n').includes(directory)) return
  log('ending a redis-server that was left without its watchdog')
  await ask(port, ['SHUTDOWN'])
  await untilClosed(port)
}

function lastPort() {
  try {
    const port = Number(JSON.parse(readFileSync(stateFile, 'utf8')).port)
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
  } catch {
    return 0
  }
}

/** @param {string} words */
function log(words) {
  console.log(`watchdog ${process.pid}: ${words}`)
}

/** @param {number} code */
function leave(code) {
  if (socketPath !== '') unlisten(socketPath, directory)
  process.exit(code)
}

// While it has users, nothing but kill -9 ends it: a machine that shuts down sends SIGTERM to
// all at once, and the users need their Redis to give their tasks back.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => users.size === 0 && endUnlessUsed(0))
}

socketPath = await listen(server, directory)
if (!(await isElected(socketPath, directory))) leave(0)
owner = true
endUnlessUsed(firstUserWithin)
try {
  const logFile = join(directory, 'redis.log')
  if (statSync(logFile).size > longestLog) truncateSync(logFile)
  await serve()
  leave(0)
} catch (error) {
  if (ending) leave(0)
  const words = error instanceof Error ? error.message : String(error)
  log(words)
  answer = { error: words }
  // Who asks while this process leaves hears it too; the rest find no socket and start afresh.
  unlisten(socketPath, directory)
  server.close(() => leave(1))
  for (const user of users) user.end(`${JSON.stringify(answer)}\n`)
  setTimeout(() => leave(1), 1000)
}
