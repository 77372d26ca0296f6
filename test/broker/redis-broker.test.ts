import { describe } from 'vitest'
import { testRedisUrl } from '../support/redis.js'
import { brokerContract } from './contract.js'
import { transitionContract } from './transitions.js'

describe('the broker on Redis', () => brokerContract(() => ({ url: testRedisUrl() })))
describe('transitions on Redis', () => transitionContract(() => ({ url: testRedisUrl() })))
