import { randomUUID } from 'node:crypto'
import { describe } from 'vitest'
import { brokerContract } from './contract.js'
import { eventsContract } from './events-contract.js'
import { limitsContract } from './limits-contract.js'
import { movesContract } from './moves-contract.js'
import { schedulesContract } from './schedules-contract.js'
import { transitionContract } from './transitions.js'
import { upkeepContract } from './upkeep-contract.js'

describe('the broker in process', () => brokerContract(() => ({ memory: randomUUID() })))
describe('transitions in process', () => transitionContract(() => ({ memory: randomUUID() })))
describe('moves and views in process', () => movesContract(() => ({ memory: randomUUID() })))
describe('upkeep in process', () => upkeepContract(() => ({ memory: randomUUID() })))
describe('limits in process', () => limitsContract(() => ({ memory: randomUUID() })))
describe('events in process', () => eventsContract(() => ({ memory: randomUUID() })))
describe('schedules in process', () => schedulesContract(() => ({ memory: randomUUID() })))
