import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startEmbedded } from '../../../src/broker/embedded/index.js'
import { isAlive } from '../../support/redis.js'
import { connectTo, newDirectory, pidsOf, start, startElsewhere, untilEnded } from './rig.js'

describe('starting', () => {
  test('gives an append-only server in the directory, on loopback only', async () => {
    const directory = await newDirectory()
    const embedded = await start(directory)
    const redis = connectTo(embedded.url)

    const { appendonly, appendfsync, save, dir, bind } = settings(await redis.config('GET', '*'))
    expect({ appendonly, appendfsync, save, dir, bind }).toEqual({
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      dir: directory,
      bind: '127.0.0.1',
    })
    expect(embedded).toMatchObject({ directory, joined: false })
    expect(await redis.info('server')).toContain(`redis_version:${embedded.version}`)
  })

  test('joins the server that another process started', async () => {
    const directory = await newDirectory()
    const other = await startElsewhere(directory)
    const embedded = await start(directory)

    expect(other.joined).toBe(false)
    expect(embedded.joined).toBe(true)
    expect(embedded.url).toBe(other.url)
  })

  test('at the same moment in several processes gives one server', async () => {
    const directory = await newDirectory()
    const users = await Promise.all([
      start(directory),
      start(directory),
      startElsewhere(directory),
      startElsewhere(directory),
      startElsewhere(directory),
    ])

    expect(new Set(users.map((user) => user.url)).size).toBe(1)
    const sockets = (await readdir(directory)).filter((name) => name.endsWith('.sock'))
    expect(sockets).toHaveLength(1)
    const redis = connectTo(users[0]?.url ?? '')
    expect(await redis.info('server')).toContain(`process_id:${pidsOf(directory).redis}\r`)
  })

  test('works where the path is too long for a socket, and joins there too', async () => {
    const directory = await newDirectory('d'.repeat(120))
    const other = await startElsewhere(directory)
    const embedded = await start(directory)

    expect(embedded).toMatchObject({ directory, joined: true, url: other.url })
    expect(await connectTo(embedded.url).ping()).toBe('PONG')
  })

  test('keeps what was written, and its port, over an end and a new start', async () => {
    const directory = await newDirectory()
    const first = await start(directory)
    await connectTo(first.url).set('kept', 'yes')
    await first.release()
    await untilEnded(directory)

    const second = await start(directory)
    expect(second).toMatchObject({ joined: false, url: first.url })
    expect(await connectTo(second.url).get('kept')).toBe('yes')
  })

  test('says why it failed, and what may help, where the file is damaged', async () => {
    const directory = await newDirectory()
    const first = await start(directory)
    await connectTo(first.url).set('key', 'value')
    await first.release()
    await untilEnded(directory)
    const folder = join(directory, 'appendonlydir')
    const damaged = existsSync(folder)
      ? join(folder, (await readdir(folder)).find((name) => name.includes('.incr.')) ?? '')
      : join(directory, 'appendonly.aof')
    await writeFile(
      damaged,
      'this is no append-only file, and not its cut-off beginning\n'.repeat(9),
    )

    await expect(start(directory)).rejects.toMatchObject({
      code: 'store_away',
      message: expect.stringMatching(/Bad file format.*redis-check-aof --fix.*redis\.log/s),
    })
    await untilEnded(directory)
  })

  test('says why it failed where the program is no redis-server', async () => {
    const directory = await newDirectory()
    await expect(startEmbedded({ directory, program: '/bin/false' })).rejects.toMatchObject({
      code: 'store_away',
      message: expect.stringContaining('did not start'),
    })
    expect(isAlive(pidsOf(directory).redis)).toBe(false)
  })
})

function settings(reply: unknown): Record<string, string> {
  if (!Array.isArray(reply)) return reply as Record<string, string>
  const pairs = reply.flatMap((name, at) => (at % 2 === 0 ? [[name, reply[at + 1]]] : []))
  return Object.fromEntries(pairs)
}
