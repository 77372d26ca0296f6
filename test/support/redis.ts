import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import type {} from './global-redis.js'
import { startRedisProcess, type TestRedis } from './redis-process.js'

export type { TestRedis } from './redis-process.js'
export { isAlive, until } from './until.js'

/** The url of the suite's shared redis-server; keep to keys under a prefix of your own. */
export function testRedisUrl(): string {
  return inject('redisUrl')
}

/** The path of the redis-server program, for tests that start one themselves. */
export function testRedisServer(): string {
  return inject('redisServer')
}

/** A key prefix that nobody else uses. */
export function testPrefix(): string {
  return `t:${randomUUID().slice(0, 13)}`
}

/**
 * Starts a redis-server of the test's own, in memory only, on a free loopback port or on `port`
 * (to bring one back at its old address). `args` are further options of redis-server.
 */
export function startRedis(args: readonly string[] = [], port?: number): Promise<TestRedis> {
  const program = testRedisServer()
  return startRedisProcess(port === undefined ? { program, args } : { program, args, port })
}
