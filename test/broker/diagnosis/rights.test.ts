import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { diagnose } from '../../../src/broker/diagnosis/index.js'
import { neededCommands } from '../../../src/broker/diagnosis/rights.js'
import { read } from '../../house/source.js'
import { startRedis } from '../../support/redis.js'

const [, rule = ''] = /```acl\nACL SETUSER redisdistro ([\s\S]+?)```/.exec(
  read('docs/redis.md'),
) ?? ['', '']

test('what is tried of a user are the rights that docs/redis.md lists', () => {
  const listed = [...rule.matchAll(/\+([a-z|]+)/g)].map(([, name]) => name)
  expect([...neededCommands].sort()).toEqual(listed.sort())
})

/** A Redis of its own with the user of the docs, and what is found of its rights. */
async function stage() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
  })
  const tell = (...words: string[]) => redis.call('ACL', 'SETUSER', 'app', ...words)
  await tell(...rule.replace('PASSWORD', 'secret').trim().split(/\s+/))
  const rights = async () => {
    const { servers } = await diagnose({
      connection: { url: server.url.replace('//', '//app:secret@') },
      prefix: 'rd',
      commandTimeout: 2000,
      durability: undefined,
      says: 'Redis',
    })
    return servers[0]?.rights
  }
  return { redis, tell, rights }
}

test('a user of the docs lacks nothing, and one that was given less is told what', async () => {
  const { redis, tell, rights } = await stage()
  expect(await rights()).toEqual({ user: 'app', refused: [], noKeys: false })
  await tell('-blpop', '-zrank', '-sadd', '-client|setname')
  expect([...((await rights())?.refused ?? [])].sort()).toEqual([
    'blpop',
    'client|setname',
    'sadd',
    'zrank',
  ])
  await tell('+blpop', '+zrank', '+sadd', '+client|setname', '-del')
  expect((await rights())?.refused).toEqual(['del'])
  await tell('+del', '-eval')
  expect((await rights())?.refused).toEqual(['eval'])
  await tell('+eval', 'resetkeys', '~other:*')
  expect(await rights()).toEqual({ user: 'app', refused: [], noKeys: true })
  // Whatever was tried, nothing of it is left.
  expect(await redis.keys('*')).toEqual([])
})
