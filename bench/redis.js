import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithThisProcess } from '../src/broker/embedded/guard.js'
import { choosePort } from '../src/broker/embedded/redis-process.js'
import { ask } from '../src/broker/embedded/resp.js'

/**
 * A redis-server of the benchmark's own.
 * @typedef {object} Redis
 * @property {number} port
 * @property {string} version
 * @property {(...commands: string[]) => Promise<string>} ask inline commands, raw answers
 * @property {() => Promise<Usage>} usage
 * @property {() => Promise<unknown>} clear leaves nothing in it
 * @property {() => Promise<void>} stop
 */

/**
 * What the server has used since it started.
 * @typedef {object} Usage
 * @property {number} cpu seconds, user and system
 * @property {number} commands those that scripts call are counted too
 * @property {number} memory bytes in use now
 */

/**
 * Starts a server on a free loopback port, in memory only unless `args` say otherwise.
 * @param {string} program
 * @param {string[]} [args]
 * @returns {Promise<Redis>}
 */
export async function startRedis(program, args = []) {
  const port = await choosePort(0)
  const folder = await mkdtemp(join(tmpdir(), 'redisdistro-bench-'))
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
  const memory = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  const child = spawn(program, [...fixed, ...memory, ...args], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  endWithThisProcess(child)
  let answer = ''
  while (!answer.includes(`process_id:${child.pid}\r`)) {
    if (child.exitCode !== null) throw new Error(`${program} did not start on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
    answer = (await ask(port, ['INFO server'])) ?? ''
  }
  const tell = async (/** @type {string[]} */ ...commands) => (await ask(port, commands)) ?? ''
  return {
    port,
    version: /redis_version:(\S+)/.exec(answer)?.[1] ?? 'unknown',
    ask: tell,
    usage: async () => usageIn(await tell('INFO cpu', 'INFO stats', 'INFO memory')),
    async clear() {
      // The answer may be given up before a large store is empty.
      while (!(await tell('FLUSHALL SYNC', 'DBSIZE')).includes(':0'));
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * @param {string} report
 * @returns {Usage}
 */
function usageIn(report) {
  const field = (/** @type {string} */ name) =>
    Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(report)?.[1])
  return {
    cpu: field('used_cpu_sys') + field('used_cpu_user'),
    commands: field('total_commands_processed'),
    memory: field('used_memory'),
  }
}
