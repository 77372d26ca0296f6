import { afterAll, beforeAll, describe } from 'vitest'
import { testRedisServer } from '../support/redis.js'
import { startCluster, type TestCluster } from '../support/redis-cluster.js'
import { brokerContract } from './contract.js'
import { eventsContract } from './events-contract.js'
import { limitsContract } from './limits-contract.js'
import { schedulesContract } from './schedules-contract.js'
import { transitionContract } from './transitions.js'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster(testRedisServer())
})
afterAll(() => cluster?.stop())

const connect = () => ({ cluster: cluster.settings })
describe('the broker on a Redis Cluster', () => brokerContract(connect))
describe('transitions on a Redis Cluster', () => transitionContract(connect))
describe('limits on a Redis Cluster', () => limitsContract(connect))
describe('events on a Redis Cluster', () => eventsContract(connect))
describe('schedules on a Redis Cluster', () => schedulesContract(connect))
