import { describe } from 'vitest'
import { testRedisUrl } from '../support/redis.js'
import { brokerContract } from './contract.js'
import { eventsContract } from './events-contract.js'
import { limitsContract } from './limits-contract.js'
import { movesContract } from './moves-contract.js'
import { schedulesContract } from './schedules-contract.js'
import { transitionContract } from './transitions.js'
import { upkeepContract } from './upkeep-contract.js'

describe('the broker on Redis', () => brokerContract(() => ({ url: testRedisUrl() })))
describe('transitions on Redis', () => transitionContract(() => ({ url: testRedisUrl() })))
describe('moves and views on Redis', () => movesContract(() => ({ url: testRedisUrl() })))
describe('upkeep on Redis', () => upkeepContract(() => ({ url: testRedisUrl() })))
describe('limits on Redis', () => limitsContract(() => ({ url: testRedisUrl() })))
describe('events on Redis', () => eventsContract(() => ({ url: testRedisUrl() })))
describe('schedules on Redis', () => schedulesContract(() => ({ url: testRedisUrl() })))
