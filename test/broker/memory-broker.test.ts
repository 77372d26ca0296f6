import { randomUUID } from 'node:crypto'
import { describe } from 'vitest'
import { brokerContract } from './contract.js'
import { transitionContract } from './transitions.js'

describe('the broker in process', () => brokerContract(() => ({ memory: randomUUID() })))
describe('transitions in process', () => transitionContract(() => ({ memory: randomUUID() })))
