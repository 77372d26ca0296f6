import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { isAlive, until } from '../../support/redis.js'
import { connectTo, newDirectory, pidsOf, start, startElsewhere, untilEnded } from './rig.js'

describe('the end', () => {
  test('comes with the release of the last user, not before', async () => {
    const directory = await newDirectory()
    const first = await start(directory)
    const second = await start(directory)
    const pids = pidsOf(directory)

    await first.release()
    expect(await connectTo(second.url).ping()).toBe('PONG')
    await second.release()
    await untilEnded(directory, pids)
  })

  test('comes when the only user is killed', async () => {
    const directory = await newDirectory()
    const user = await startElsewhere(directory)
    const pids = pidsOf(directory)
    expect(isAlive(pids.redis)).toBe(true)

    await user.kill('SIGKILL')
    await untilEnded(directory, pids)
  })

  test('does not come with the Ctrl-C that ends a user', async () => {
    const directory = await newDirectory()
    const user = await startElsewhere(directory)
    const { redis, watchdog } = pidsOf(directory)
    // A terminal sends SIGINT to every process of the user's group.
    expect([redis, watchdog].map(groupOf)).toEqual([watchdog, watchdog])
    expect(groupOf(user.pid)).toBe(user.pid)

    await user.kill('SIGINT')
    const next = await start(directory)
    expect(next).toMatchObject({ joined: true, url: user.url })
    expect(await connectTo(next.url).info('server')).toContain(`process_id:${redis}\r`)
  })
})

describe('what dies', () => {
  test('a server that is killed comes back at its address with what it had', async () => {
    const directory = await newDirectory()
    const redis = connectTo((await start(directory)).url)
    await redis.set('kept', 'yes')
    const killed = pidsOf(directory).redis

    process.kill(killed, 'SIGKILL')
    await until(() => pidsOf(directory).redis !== killed, { describe: 'another server' })
    expect(await redis.get('kept')).toBe('yes')
  })

  test('a server and a watchdog told to end while they have a user go on serving', async () => {
    const directory = await newDirectory()
    const redis = connectTo((await start(directory)).url)
    const pids = pidsOf(directory)

    process.kill(pids.watchdog, 'SIGTERM')
    process.kill(pids.redis, 'SIGTERM')
    await until(() => pidsOf(directory).redis !== pids.redis, { describe: 'another server' })
    expect(await redis.ping()).toBe('PONG')
    expect(pidsOf(directory).watchdog).toBe(pids.watchdog)
  })

  test('a killed watchdog takes its server with it and does not block the next start', async () => {
    const directory = await newDirectory()
    const user = await startElsewhere(directory)
    const pids = pidsOf(directory)
    process.kill(user.pid, 'SIGSTOP')

    process.kill(pids.watchdog, 'SIGKILL')
    await untilEnded(directory, pids)
    const next = await start(directory)
    expect(next).toMatchObject({ joined: false, url: user.url })
    expect(await connectTo(next.url).ping()).toBe('PONG')
  })

  test('a user whose watchdog was killed gets a new one, at the same address', async () => {
    const directory = await newDirectory()
    const redis = connectTo((await start(directory)).url)
    await redis.set('kept', 'yes')
    const pids = pidsOf(directory)

    process.kill(pids.watchdog, 'SIGKILL')
    await until(() => pidsOf(directory).watchdog !== pids.watchdog, { describe: 'another one' })
    expect(await redis.get('kept')).toBe('yes')
    expect(isAlive(pids.redis)).toBe(false)
  })

  test('a server that lost watchdog and guard is ended by the next start', async () => {
    const directory = await newDirectory()
    const user = await startElsewhere(directory)
    const left = pidsOf(directory)
    await connectTo(user.url).set('kept', 'yes')
    process.kill(user.pid, 'SIGSTOP')
    for (const guard of childrenOf(left.watchdog).filter((pid) => pid !== left.redis)) {
      process.kill(guard, 'SIGKILL')
    }
    process.kill(left.watchdog, 'SIGKILL')
    await until(() => !isAlive(left.watchdog))
    expect(isAlive(left.redis)).toBe(true)

    const next = await start(directory)
    expect(isAlive(left.redis)).toBe(false)
    expect(next).toMatchObject({ joined: false, url: user.url })
    expect(await connectTo(next.url).get('kept')).toBe('yes')
  })
})

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.flatMap(([child = 0, parent = 0]) => (parent === pid ? [child] : []))
}

function groupOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'pgid=', '-p', `${pid}`], { encoding: 'utf8' }))
}
