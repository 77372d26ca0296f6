import { describe, expect, test } from 'vitest'
import { redisSchema } from '../../../src/broker/redis-settings.js'
import type { Finding } from '../../../src/kernel/doctor/checks.js'
import { judgeEviction, judgeMemory, judgeRetention } from '../../../src/kernel/doctor/memory.js'
import { judgePersistence } from '../../../src/kernel/doctor/persistence.js'
import {
  judgeClock,
  judgeDurability,
  judgeLatency,
  judgeRights,
  judgeRole,
  judgeVersion,
} from '../../../src/kernel/doctor/server.js'
import { type Changed, factsOf, lineOf } from './facts.js'

const redis = redisSchema.parse({})
const aof = (fsync: string) => ({ settings: { appendfsync: fsync } })
const snapshots = (save: string) => ({ info: { aof_enabled: '0' }, settings: { save } })
const lacking = { user: 'app', refused: ['zrank'], noKeys: true }

type Case = readonly [
  judge: (facts: ReturnType<typeof factsOf>) => Finding[],
  changed: Changed,
  found: RegExp,
]

const cases: readonly Case[] = [
  [judgeVersion, {}, /^version ok: here:6379 is Redis 7\.4\.1$/],
  [judgeVersion, { info: { redis_version: '6.2.14' } }, /^version note: /],
  [judgeVersion, { info: { redis_version: '6.0.9' } }, /^version danger: .*-> run Redis 6\.2/],
  [judgeVersion, { info: { valkey_version: '8.1.0' } }, /^version ok: .* Valkey 8\.1\.0$/],
  [judgeVersion, { server: undefined }, /^version warning: .*-> allow its user \+info$/],
  [judgeRole, {}, /^role ok/],
  [judgeRole, { info: { role: 'slave' } }, /^role danger: .*a replica -> name its master/],
  [judgeRole, { info: { loading: '1' } }, /^role warning: .*still loads/],
  [judgePersistence, aof('always'), /^persistence ok: .*nothing that was acknowledged is lost$/],
  [judgePersistence, aof('everysec'), /^persistence ok: .*up to two seconds/],
  [judgePersistence, aof('no'), /^persistence warning: .*30 s -> set appendfsync everysec/],
  [judgePersistence, { settings: {} }, /^persistence ok: .*may not be read/],
  [
    judgePersistence,
    snapshots(''),
    /^persistence danger: .*loses every task -> set appendonly yes/,
  ],
  [
    judgePersistence,
    snapshots('3600 1 300 100'),
    /^persistence warning: .*after 1h with 1 change, after 5m with 100 changes.*up to 1h of tasks; .*lose 7 changes since the last snapshot 1m ago/,
  ],
  [
    judgePersistence,
    { info: { aof_enabled: '0' }, settings: {} },
    /^persistence warning: .*may not be read without \+config\|get/,
  ],
  [
    judgePersistence,
    { info: { aof_last_write_status: 'err' } },
    /^persistence danger: .*could not/,
  ],
  [judgePersistence, { info: { aof_last_bgrewrite_status: 'err' } }, /\npersistence warning: /],
  [
    judgePersistence,
    { ...snapshots('60 1'), info: { aof_enabled: '0', rdb_last_bgsave_status: 'err' } },
    /\npersistence danger: .*its last snapshot failed/,
  ],
  [(facts) => judgeEviction(facts, { redis }), {}, /^eviction ok/],
  [
    (facts) => judgeEviction(facts, { redis }),
    { info: { maxmemory_policy: 'allkeys-lru' } },
    /^eviction danger: .*-> set maxmemory-policy noeviction/,
  ],
  [
    (facts) => judgeEviction(facts, { redis: { ...redis, allowEviction: true } }),
    { info: { maxmemory_policy: 'allkeys-lru' } },
    /^eviction warning: .*allowEviction accepts that/,
  ],
  [
    (facts) => judgeEviction(facts, { redis }),
    { info: { maxmemory_policy: 'volatile-ttl' } },
    /^eviction warning: /,
  ],
  [judgeMemory, {}, /^memory ok: .*uses 1 MiB of maxmemory 1 GiB \(0 %\)$/],
  [judgeMemory, { info: { used_memory: '1000000000' } }, /^memory warning: .*\(93 %\) -> raise/],
  [judgeMemory, { info: { maxmemory: '0' } }, /^memory note: .*no maxmemory -> set maxmemory/],
  [
    judgeMemory,
    { info: { maxmemory: '0', used_memory: '7000000000' } },
    /^memory warning: .*\(81 %\), and has no maxmemory/,
  ],
  [(facts) => judgeRights(facts, { redis }), {}, /^rights ok: user 'default'/],
  [
    (facts) => judgeRights(facts, { redis }),
    { rights: lacking },
    /^rights danger: user 'app' .* lacks ~rd:\* \+zrank -> ACL SETUSER app ~rd:\* \+zrank /,
  ],
  [
    (facts) => judgeRights(facts, { redis }),
    { rights: { user: undefined, refused: ['zrank'], noKeys: false } },
    /^rights danger: the user .*-> ACL SETUSER USER \+zrank /,
  ],
  [judgeClock, { ahead: -999 }, /^clock ok: .*999ms behind/],
  [judgeClock, { ahead: 3000 }, /^clock warning: .*3s ahead of .*-> let NTP/],
  [(facts) => judgeLatency(facts, { redis }), {}, /^latency ok: .*0\.2 ms .*0\.3 ms/],
  [(facts) => judgeLatency(facts, { redis }), { pings: [6, 7, 8] }, /^latency note: .*7 ms/],
  [(facts) => judgeLatency(facts, { redis }), { pings: [30, 31] }, /^latency warning: /],
  [
    (facts) => judgeLatency(facts, { redis }),
    { pings: [1, 1, 1, 600] },
    /^latency warning: .*600 ms at p99.*raise redis\.commandTimeout \(900ms\)/,
  ],
  [(facts) => judgeDurability(facts, { redis }), {}, /^durability ok: .*'async'/],
  [
    (facts) => judgeDurability(facts, { redis }),
    { durability: { refusal: 'no file', warnings: [] } },
    /^durability danger: no file/,
  ],
  [
    (facts) => judgeDurability(facts, { redis: { ...redis, durability: 'replicated' } }),
    { durability: { refusal: undefined, warnings: [] } },
    /^durability ok: .*'replicated'/,
  ],
  [
    (facts) => judgeDurability(facts, { redis }),
    { durability: { refusal: undefined, warnings: ['too few'] } },
    /^durability warning: too few/,
  ],
]

describe('of one server', () => {
  test.each(cases)('%o by %j is %s', (judge, changed, found) => {
    expect(judge(factsOf(changed)).map(lineOf).join('\n')).toMatch(found)
  })

  test('what its user may not ask has no finding, or one that says so', () => {
    const facts = { ...factsOf(), info: undefined, server: undefined, ahead: undefined, pings: [] }
    const judges = [judgeRole, judgePersistence, judgeMemory, judgeClock]
    expect(judges.flatMap((judge) => judge(facts))).toEqual([])
    expect(judgeEviction(facts, { redis })).toEqual([])
    expect(judgeLatency(facts, { redis })).toEqual([])
  })
})

test('what the retention may keep is held against the memory of all servers', () => {
  const limit = (count: number) => ({ age: 1, count })
  const retention = { completed: limit(10), dead: limit(2_000_000), cancelled: limit(10) }
  const queues = new Map([
    ['a', { concurrency: 1, partitions: 1, weight: 1, limits: {}, retention, given: {} }],
  ])
  const judge = (servers: number) =>
    judgeRetention(
      Array.from({ length: servers }, () => factsOf()),
      { queues },
    ).map(lineOf)
  expect(judge(1)).toEqual([
    expect.stringMatching(
      /^retention note: up to 2000020 ended tasks .* 954 MiB .* 1 GiB -> lower/,
    ),
  ])
  expect(judge(3)).toEqual([expect.stringMatching(/^retention ok: .* of 3 GiB$/)])
})
