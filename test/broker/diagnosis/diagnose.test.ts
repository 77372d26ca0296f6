import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { askSentinels, diagnose, type Questions } from '../../../src/broker/diagnosis/index.js'
import { choosePort } from '../../../src/broker/embedded/redis-process.js'
import { testPrefix, testRedisServer, testRedisUrl } from '../../support/redis.js'
import { startCluster } from '../../support/redis-cluster.js'
import { startSentinels } from '../../support/redis-sentinel.js'

vi.setConfig({ testTimeout: 60_000 })

const ask = (connection: Questions['connection'], more: Partial<Questions> = {}) =>
  diagnose({
    connection,
    prefix: testPrefix(),
    commandTimeout: 2000,
    durability: undefined,
    says: 'the Redis of the test',
    ...more,
  })

test('a server tells of itself, its settings, its clock and its round trips', async () => {
  const { servers, cluster } = await ask({ url: testRedisUrl() })
  const [facts] = servers
  expect(cluster).toBeUndefined()
  expect(servers).toHaveLength(1)
  expect(facts?.says).toBe(new URL(testRedisUrl()).host)
  expect(facts?.info?.['redis_version'] ?? facts?.info?.['valkey_version']).toMatch(/^\d/)
  expect(facts?.settings).toMatchObject({ save: '', appendonly: 'no' })
  expect(Math.abs(facts?.ahead ?? Number.NaN)).toBeLessThan(1000)
  expect(facts?.pings.length).toBeGreaterThan(0)
  expect(facts?.scripts.length).toBeGreaterThan(0)
})

test('a durability that cannot be proven is told with the reason', async () => {
  const url = testRedisUrl()
  const [bare] = (await ask({ url }, { durability: { kind: 'fsync' } })).servers
  expect(bare?.durability?.refusal).toMatch(/append-only file/)
  const replicated = { kind: 'replicated', replicas: 1 } as const
  const [alone] = (await ask({ url }, { durability: replicated })).servers
  expect(alone?.durability?.warnings).toEqual([expect.stringMatching(/has 0 replicas/)])
})

test('one that is away, takes no login or says nothing is told with the reason', async () => {
  const port = await choosePort(0)
  await expect(ask({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'store_away',
    message: expect.stringMatching(/^the Redis of the test cannot be reached: .*ECONNREFUSED/),
  })
  const wrong = testRedisUrl().replace('//', '//nobody:wrong@')
  await expect(ask({ url: wrong })).rejects.toThrow(/cannot be reached: .*WRONGPASS/)
  const mute = createServer(() => undefined)
  await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void mute.close())
  const quick = { commandTimeout: 200 }
  await expect(ask({ url: `redis://127.0.0.1:${port}` }, quick)).rejects.toThrow(
    /cannot be reached: .*(timed out|no answer)/,
  )
})

test('each master of a cluster tells of itself, and one of the whole', async () => {
  const cluster = await startCluster(testRedisServer())
  onTestFinished(() => cluster.stop())
  const found = await ask({ cluster: cluster.settings })
  expect(found.servers.map(({ says }) => says).sort()).toEqual(
    cluster.settings.nodes.map(({ host, port }) => `${host}:${port}`).sort(),
  )
  expect(found.servers.map(({ rights }) => rights)).toEqual(
    found.servers.map(() => ({ user: 'default', refused: [], noKeys: false })),
  )
  expect(found.cluster).toMatchObject({ cluster_state: 'ok', cluster_slots_assigned: '16384' })
})

test('each sentinel says whether it is there and has a quorum', async () => {
  const rig = await startSentinels(testRedisServer())
  onTestFinished(() => rig.stop())
  const [first, ...others] = rig.settings.nodes
  const away = { host: '127.0.0.1', port: await choosePort(0) }
  const nodes = [first, away].filter((node) => node !== undefined)
  const sentinel = { ...rig.settings, nodes }
  const found = await askSentinels({ sentinel }, 2000)
  expect(found[0]?.quorum).toMatch(/^OK 3 usable/)
  expect(found[1]?.failure).toMatch(/cannot be reached: .*ECONNREFUSED/)
  expect(others).toHaveLength(2)
  const unknown = await askSentinels({ sentinel: { ...sentinel, name: 'nobody' } }, 2000)
  expect(unknown[0]?.quorum).toMatch(/No such master/)
  const { servers } = await ask({ sentinel: rig.settings })
  expect(servers[0]?.says).toContain(`${rig.master.port}`)
  expect(servers[0]?.info?.['slave0']).toContain(`port=${rig.replica.port}`)
})
