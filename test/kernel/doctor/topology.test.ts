import { expect, test } from 'vitest'
import { redisSchema } from '../../../src/broker/redis-settings.js'
import { judgeCluster, judgeReplicas, judgeSentinels } from '../../../src/kernel/doctor/topology.js'
import { factsOf, lineOf } from './facts.js'

const redis = redisSchema.parse({})

test('a cluster is well when every slot has a master that serves', () => {
  const well = { cluster_state: 'ok', cluster_slots_assigned: '16384' }
  const judge = (cluster: Record<string, string> | undefined, info = {}) =>
    judgeCluster({ servers: [factsOf({ info })], cluster }, { redis }).map(lineOf)
  expect(judge(undefined)).toEqual([])
  expect(judge(well)).toEqual([expect.stringMatching(/^cluster ok: state ok, 16384 of 16384/)])
  for (const broken of [
    { cluster_state: 'fail' },
    { cluster_slots_assigned: '16000' },
    { cluster_slots_pfail: '3' },
  ]) {
    expect(judge({ ...well, ...broken })).toEqual([expect.stringMatching(/^cluster danger: /)])
  }
  expect(judge(undefined, { cluster_enabled: '1' })).toEqual([
    expect.stringMatching(/^cluster danger: .*-> name it under redis\.cluster.*'here', port: 6379/),
  ])
})

test('replicas that are late, silent or missing are told of', () => {
  const judge = (info: Record<string, string>, failsOver = false) =>
    judgeReplicas(factsOf({ info }), failsOver).map(lineOf)
  const online = (more: string) => ({ slave0: `ip=10.0.0.2,port=6380,state=online,${more}` })
  expect(judge(online('offset=90,lag=1'))).toEqual([
    'replicas ok: here:6379 has 1 replica: 10.0.0.2:6380 online, 1 s and 10 bytes behind',
  ])
  expect(judge(online('offset=90,lag=60'))).toEqual([
    expect.stringMatching(/^replicas warning: .*-> look at 10\.0\.0\.2:6380/),
  ])
  const far = { ...online('offset=1,lag=0'), master_repl_offset: '99999999' }
  expect(judge(far)).toEqual([expect.stringMatching(/^replicas warning: /)])
  expect(judge({})).toEqual([expect.stringMatching(/^replicas note: .*one machine/)])
  expect(judge({}, true)).toEqual([expect.stringMatching(/^replicas warning: .*-> give it/)])
})

test('sentinels are well when all answer and have a quorum', () => {
  const well = { says: 'a:1', quorum: 'OK 3 usable Sentinels', failure: undefined }
  const poor = { says: 'b:2', quorum: 'NOQUORUM 1 usable', failure: undefined }
  const away = { says: 'c:3', quorum: undefined, failure: 'c:3 cannot be reached' }
  const judge = (...found: (typeof well | typeof poor | typeof away)[]) =>
    judgeSentinels(found, { redis }).map(lineOf).join('\n')
  expect(judge(well, well)).toMatch(/^sentinel ok: a:1: OK/)
  expect(judge(well, away)).toMatch(/^sentinel warning: .*-> bring c:3 back/)
  expect(judge(well, poor)).toMatch(/^sentinel warning: .*b:2: NOQUORUM/)
  expect(judge(away, away)).toMatch(/^sentinel danger: /)
})
